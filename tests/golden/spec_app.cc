// Runs the topology of a spec as a live application until SIGTERM; the spec's "input" is ignored.
//
//   spec_app --spec FILE --bootstrap HOST:PORT --application-id ID --state-dir DIR
//            [--set key=value]...
//
// Without brokers it runs on the embedded log in the state directory. Prints RUNNING when all its
// tasks run, and exits 0 after a clean close.

#include <csignal>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include <thalweg/runtime/local_environment.h>

#include "golden/spec_topology.h"

namespace {

using namespace thalweg;
using State = StreamsApplication::State;

struct CommandLine {
  std::string spec;
  std::string bootstrap;
  std::string application_id;
  std::string state_dir;
  std::vector<std::string> settings;
};

boost::json::value read_spec(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

StreamsConfig config_of(const boost::json::value& config, const CommandLine& line) {
  StreamsConfigBuilder builder;
  const auto set = [&](const char* key, const std::string& value) {
    builder.set(key, value, "the spec");
  };
  set("statestore.cache.max.bytes", std::to_string(golden::number_or(config, "cache", 0)));
  set("max.task.idle.ms", std::to_string(golden::number_or(config, "idle", 0)));
  set("topology.optimization", golden::text_or(config, "optimize", "none"));
  set("deserialization.exception.handler", golden::text_or(config, "deserErrors", "fail"));
  set("processing.exception.handler", golden::text_or(config, "procErrors", "fail"));
  set("bootstrap.servers", line.bootstrap);
  set("application.id", line.application_id);
  set("state.dir", line.state_dir);
  for (const auto& setting : line.settings) builder.set_assignment(setting, "--set");
  return builder.build();
}

int run(const CommandLine& line) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const boost::json::value spec = read_spec(line.spec);
  const boost::json::value nothing = boost::json::object();
  const boost::json::value* given = golden::field(spec, "config");
  const StreamsConfig config = config_of(given ? *given : nothing, line);
  golden::SpecTopology topology;
  for (const auto& statement : golden::need(spec, "nodes").as_array()) topology.run(statement);
  const auto local = LocalEnvironment::open(config);
  if (!local) throw std::runtime_error(local.error().message);
  const bool explicit_names = given && golden::flag_or(*given, "explicitNames", false);
  StreamsApplication application(
      topology.build({.optimization = config.topology_optimization,
                      .ensure_explicit_internal_resource_naming = explicit_names}),
      config, (*local)->environment());
  application.on_state_change([](State, State to) {
    if (to == State::kRunning) std::cout << "RUNNING" << std::endl;
    if (to == State::kError) std::cout << "ERROR" << std::endl;
  });
  if (auto started = application.start(); !started) {
    throw std::runtime_error(started.error().message);
  }
  const timespec moment{0, 200'000'000};
  while (sigtimedwait(&signals, nullptr, &moment) < 0 && !application.failure()) {
  }
  const auto failure = application.failure();
  application.close();
  if (failure) throw std::runtime_error(*failure);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs the topology of a spec");
  CommandLine line;
  app.add_option("--spec", line.spec, "A file of JSON")->required();
  app.add_option("--bootstrap", line.bootstrap, "Brokers; none: the embedded log");
  app.add_option("--application-id", line.application_id)->required();
  app.add_option("--state-dir", line.state_dir)->required();
  app.add_option("--set", line.settings, "A setting as key=value")->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(line);
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
