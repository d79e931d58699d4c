// Counts the records of each key, as a process: what tests start, stop, freeze and kill.
//
//   count_app --input TOPIC --output TOPIC --set key=value ...
//
// With application.server it answers queries there. Says RUNNING on its standard output each time
// that all its tasks run, and ends at SIGTERM.

#include <csignal>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/local_environment.h>
#include <thalweg/runtime/query_server.h>
#include <thalweg/topology/streams_builder.h>

namespace {

using namespace thalweg;

Topology counting(const std::string& input, const std::string& output) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>(input)
      .group_by_key()
      .count({.store = "counts"})
      .to_stream()
      .to(output);
  return builder.build();
}

void wait_for_end(const StreamsApplication& application, const sigset_t& signals) {
  const timespec moment{0, 200'000'000};
  while (sigtimedwait(&signals, nullptr, &moment) < 0 && !application.failure()) {
  }
}

int run(const std::string& input, const std::string& output,
        const std::vector<std::string>& settings) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  StreamsConfigBuilder builder;
  builder.set("statestore.cache.max.bytes", "0", "count_app");
  for (const auto& setting : settings) builder.set_assignment(setting, "--set");
  const auto config = builder.build();
  const auto local = LocalEnvironment::open(config);
  if (!local) throw std::runtime_error(local.error().message);
  StreamsApplication application(counting(input, output), config, (*local)->environment());
  application.on_state_change([](auto, auto to) {
    if (to == StreamsApplication::State::kRunning) std::cout << "RUNNING" << std::endl;
  });
  HttpServer server({.listen = config.application_server});
  std::optional<QueryService> queries;
  if (!config.application_server.empty()) {
    const auto environment = (*local)->environment();
    queries.emplace(server, std::vector{&application}, *environment.log, *environment.metrics,
                    *environment.clock);
    if (auto started = server.start(); !started) {
      throw std::runtime_error(started.error().message);
    }
  }
  if (auto started = application.start(); !started) {
    throw std::runtime_error(started.error().message);
  }
  wait_for_end(application, signals);
  server.stop();
  const auto failure = application.failure();
  application.close();
  if (failure) throw std::runtime_error(*failure);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Counts the records of each key");
  std::string input = "input";
  std::string output = "output";
  std::vector<std::string> settings;
  app.add_option("--input", input, "Topic to read");
  app.add_option("--output", output, "Topic to write");
  app.add_option("--set", settings, "A setting as key=value")->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(input, output, settings);
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
