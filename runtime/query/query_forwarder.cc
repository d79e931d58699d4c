#include "query/query_forwarder.h"

#include <utility>

namespace thalweg::internal {

void QueryForwarder::ask(const std::string& server, std::string target,
                         std::move_only_function<void(HttpResponse)> then) {
  peers_->ask(server, std::move(target), patience_,
              [server, then = std::move(then)](std::optional<HttpResponse> answer) mutable {
                // Whoever asked here was let in here: it is not their token that is refused.
                const bool refused = answer && answer->status == 401;
                if (answer && !refused) return then(*std::move(answer));
                const std::string where = "the key is with " + server;
                auto response =
                    refused ? problem(503, "owner_refuses",
                                      where + ", which refuses the token of this process",
                                      "give all processes of an application the same token")
                            : problem(503, "owner_not_reached",
                                      where + ", which does not answer", "ask again");
                response.headers.emplace_back("Retry-After", "1");
                then(std::move(response));
              });
}

}  // namespace thalweg::internal
