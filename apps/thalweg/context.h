#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "output.h"

namespace CLI {
class App;
}

namespace thalweg::cli {

class Server;
class StoppedServer;

/// What all commands share: where the application is, and how answers are printed. Filled while the
/// command line is read; a command puts what it does into `run`.
struct Context {
  Context();
  ~Context();

  std::string url = "http://127.0.0.1:8080";
  std::string token;
  std::string data_dir;
  std::string application;
  OutputStyle style;
  std::function<int()> run;

  /// Where questions go: the application at `url`, or what is left in `data_dir`. Opened by the
  /// first call, which throws CommandError when it is not there.
  Server& server();

 private:
  std::unique_ptr<StoppedServer> stopped_;
  std::unique_ptr<Server> server_;  // Goes before what it asks.
};

// Each command declares itself; one file each.
void add_demo(CLI::App& app, Context& context);
void add_describe(CLI::App& app, Context& context);
void add_topics(CLI::App& app, Context& context);
void add_stores(CLI::App& app, Context& context);
void add_reset(CLI::App& app, Context& context);
void add_dlq(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_topology(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_reference(CLI::App& app, Context& context);

}  // namespace thalweg::cli
