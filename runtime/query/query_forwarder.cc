#include "query/query_forwarder.h"

#include <utility>

namespace thalweg::internal {

void QueryForwarder::ask(const std::string& server, std::string target,
                         std::move_only_function<void(HttpResponse)> then) {
  peers_->ask(server, std::move(target), patience_,
              [server, then = std::move(then)](std::optional<HttpResponse> answer) mutable {
                if (answer) return then(*std::move(answer));
                auto response =
                    problem(503, "owner_not_reached",
                            "the key is with " + server + ", which does not answer", "ask again");
                response.headers.emplace_back("Retry-After", "1");
                then(std::move(response));
              });
}

}  // namespace thalweg::internal
