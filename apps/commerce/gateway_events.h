#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "gateway_context.h"

namespace thalweg::shop {

/// Who listens: the caller. Without `auth.secret` also `userId` of the query is believed, as pages
/// cannot give headers to a listening request.
std::expected<std::string, HttpResponse> listener_of(const ContextPtr& context,
                                                     const HttpRequest& request);

/// What `user` asks for with a destination: `/queue/notifications`, their own, or
/// `/topic/order/{orderId}` of an order of theirs; after the notice of that number. The answer to
/// whoever may not have it is the error.
std::expected<InboxReader::Wish, HttpResponse> wish_of(const ContextPtr& context,
                                                       const std::string& user,
                                                       std::string_view destination,
                                                       std::int64_t after);

}  // namespace thalweg::shop
