// A server that answers webhooks and payments as it is told to: see stub_receiver.h.

#include <csignal>
#include <ctime>
#include <iostream>

#include <CLI/CLI.hpp>

#include "stub_receiver.h"

namespace {

using thalweg::stub_receiver::StubReceiver;

/// Waits for SIGTERM or SIGINT, at most so long; returns whether one came.
bool ended_within(const sigset_t& signals, std::int64_t millis) {
  const timespec time{millis / 1000, millis % 1000 * 1'000'000};
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A receiver of webhooks and a payment provider, to try deliveries with");
  std::string listen = "127.0.0.1:9000";
  std::int64_t closed_for = 0;
  thalweg::stub_receiver::Behaviour behaviour;
  std::int64_t delay = 0;
  app.add_option("--listen", listen, "Address and port")->capture_default_str();
  app.add_option("--closed-for-ms", closed_for, "Refuse all connections for so long at first");
  app.add_option("--fail-next", behaviour.fail_next, "Fail so many requests at first");
  app.add_option("--fail-status", behaviour.fail_status, "With this status")->capture_default_str();
  app.add_option("--delay-next", behaviour.delay_next, "Answer so many requests late");
  app.add_option("--delay-ms", delay, "By so much");
  CLI11_PARSE(app, argc, argv);
  behaviour.delay = std::chrono::milliseconds(delay);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (closed_for > 0 && ended_within(signals, closed_for)) return 0;

  StubReceiver receiver(listen);
  receiver.behave(behaviour);
  if (const auto started = receiver.start(); !started) {
    std::cerr << started.error().message << "\n";
    return 1;
  }
  std::cout << "listening on port " << receiver.port() << std::endl;
  while (!ended_within(signals, 3'600'000)) {
  }
  return 0;
}
