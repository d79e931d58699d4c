// The shop: `shop --data-dir DIR --listen 127.0.0.1:PORT`.

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iostream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "shop_process.h"
#include "shop_settings.h"
#include "wire_format.h"

namespace {

using thalweg::ConfigError;
using thalweg::StreamsConfigBuilder;
using thalweg::shop::ShopProcess;
using thalweg::shop::ShopProcessOptions;

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

struct CommandLine {
  std::string data_dir = "./data";
  std::string listen = "127.0.0.1:8080";
  std::string config_file;
  std::vector<std::string> settings;
  std::string roles = thalweg::shop::names_of_all_roles();
  std::string log_level = "info";
  int http_threads = 1;
  bool demo = false;
};

void declare(CLI::App& app, CommandLine& line) {
  app.add_option("--data-dir", line.data_dir, "Where the log and the state are kept")
      ->capture_default_str();
  app.add_option("--listen", line.listen, "Address and port of HTTP; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--config", line.config_file, "A TOML file of settings");
  app.add_option("--set", line.settings, "A setting as key=value; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--roles", line.roles, "What this process does")->capture_default_str();
  app.add_option("--http-threads", line.http_threads, "Threads that serve HTTP")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--log-level", line.log_level, "trace, debug, info, warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_flag("--demo", line.demo, "Add a few products and a customer");
  app.add_flag_callback(
      "--settings",
      [] {
        std::cout << thalweg::shop::shop_settings_help() << StreamsConfigBuilder::help();
        throw CLI::Success();
      },
      "List all settings and end");
}

/// How many threads a role on the embedded log has, unless somebody says so. The fewer there are,
/// the more of an order's steps stay in one thread, and so in one commit; HTTP takes the other
/// processors.
unsigned threads_of_a_role() { return std::max(1U, std::thread::hardware_concurrency() / 2); }

/// All settings; `threads`: how many each role has, unless somebody says so.
StreamsConfigBuilder settings_of(const CommandLine& line, unsigned threads) {
  StreamsConfigBuilder builder;
  builder.allow(thalweg::shop::shop_setting_keys());
  thalweg::shop::set_shop_defaults(threads, builder);
  if (!line.config_file.empty()) builder.from_toml_file(line.config_file);
  builder.from_environment(environ);
  for (const auto& setting : line.settings) builder.set_assignment(setting, "--set");
  builder.set("state.dir", line.data_dir, "--data-dir");
  builder.set("application.id", "shop", "main.cc");  // Each role sets its own.
  return builder;
}

bool read_switch(const StreamsConfigBuilder& builder, const std::string& key, bool otherwise) {
  const auto value = builder.application_value(key);
  if (value.empty()) return otherwise;
  if (value != "true" && value != "false") {
    throw ConfigError(key + ": true or false, not '" + value + "'");
  }
  return value == "true";
}

ShopProcessOptions options_of(const CommandLine& line) {
  StreamsConfigBuilder builder = settings_of(line, threads_of_a_role());
  // On Kafka a transaction costs its client a request for each partition that it writes to, of
  // which the broker takes one at a time. Several threads would each write to most of them.
  if (!builder.build().bootstrap_servers.empty()) builder = settings_of(line, 1);
  ShopProcessOptions options;
  options.streams = builder.build();
  options.processing_handler = thalweg::shop::chosen_processing_handler(builder);
  options.listen = line.listen;
  options.roles = thalweg::shop::parse_roles(line.roles);
  options.http_threads = line.http_threads;
  thalweg::shop::check_roles(options.roles, !options.streams.bootstrap_servers.empty());
  constexpr std::int64_t kYear = 365LL * 24 * 3'600'000;
  options.shop.saga_timeout =
      std::chrono::milliseconds(builder.application_number("saga.timeout.ms", 60'000, 1, kYear));
  options.shop.idempotency_retention = std::chrono::milliseconds(
      builder.application_number("idempotency.retention.ms", 86'400'000, 1'000, kYear));
  options.shop.auth_secret = builder.application_value("auth.secret");
  options.shop.admin_token = builder.application_value("admin.token");
  options.shop.view_log = read_switch(builder, "view.log", true);
  options.shop.flatbuffers_topics = thalweg::shop::read_wire_formats(builder);
  options.shop.delivery = thalweg::shop::read_delivery_config(builder);
  options.shop.payment_provider = thalweg::shop::read_payment_provider_config(builder);
  const auto timezone = builder.application_value("shop.timezone");
  if (!timezone.empty() && timezone != "UTC") {
    throw ConfigError("shop.timezone: only UTC is supported, not " + timezone);
  }
  return options;
}

/// Waits for SIGTERM or SIGINT, which every thread has blocked, or for the shop to fail by itself.
/// Another signal while the shop closes ends the process at once.
int serve(ShopProcess& shop, const sigset_t& signals) {
  for (;;) {
    const timespec second{1, 0};
    const int number = sigtimedwait(&signals, nullptr, &second);
    if (number > 0) {
      spdlog::info("signal {}: closing; another one ends the process at once", number);
      break;
    }
    if (const auto reason = shop.failure(); !reason.empty()) {
      spdlog::critical("{}", reason);
      shop.stop();
      return kFailed;
    }
  }
  std::signal(SIGTERM, [](int) { _exit(128 + SIGTERM); });
  std::signal(SIGINT, [](int) { _exit(128 + SIGINT); });
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  shop.stop();
  spdlog::info("closed");
  return 0;
}

int run(const CommandLine& line) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  ShopProcessOptions options = options_of(line);
  const bool everyone_is_believed = options.shop.auth_secret.empty();
  const bool asks_operators = everyone_is_believed || !options.shop.admin_token.empty();
  ShopProcess shop(std::move(options));
  if (auto started = shop.start(); !started) {
    spdlog::critical("{}", started.error().message);
    return kFailed;
  }
  spdlog::info("listening on http://{}:{}", line.listen.substr(0, line.listen.rfind(':')),
               shop.port());
  if (everyone_is_believed) {
    spdlog::warn("development mode: whoever asks is believed to be who they say (X-User, userId)");
  }
  if (!asks_operators) {
    spdlog::warn("admin.token is not set: whoever reaches this address may do what operators do");
  }
  if (line.demo) shop.add_demo_data();
  return serve(shop, signals);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The shop: orders, stock and payments on Thalweg");
  CommandLine line;
  declare(app, line);
  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_color_mt("shop"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(line.log_level));
  try {
    return run(line);
  } catch (const ConfigError& error) {
    spdlog::critical("{}", error.what());
    return kBadUsage;
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
    return kFailed;
  }
}
