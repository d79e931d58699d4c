#include "context.h"

#include "server.h"
#include "stopped_server.h"

namespace thalweg::cli {

Context::Context() : style(OutputStyle::of_this_process()) {}
Context::~Context() = default;

Server& Context::server() {
  if (server_) return *server_;
  if (data_dir.empty()) {
    server_ = std::make_unique<Server>(url, token);
  } else {
    stopped_ = std::make_unique<StoppedServer>(data_dir);
    server_ = std::make_unique<Server>(stopped_->url(), "");
  }
  return *server_;
}

}  // namespace thalweg::cli
