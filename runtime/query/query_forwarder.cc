#include "query/query_forwarder.h"

#include <utility>

namespace thalweg::internal {

void QueryForwarder::forward(const std::string& server, std::string target, Responder responder) {
  peers_->ask(server, std::move(target), patience_,
              [server, waiting = std::move(responder)](std::optional<HttpResponse> answer) mutable {
                if (answer) return waiting.send(*std::move(answer));
                auto response = problem(503, "owner_not_reached",
                                        "the key is with " + server + ", which does not answer",
                                        "ask again");
                response.headers.emplace_back("Retry-After", "1");
                waiting.send(std::move(response));
              });
}

}  // namespace thalweg::internal
