// One run of one workload on Kafka, for comparisons side by side: see bench/README.md for the
// environment variables that say which. The last line of the output is the result.

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <thalweg/runtime/local_environment.h>

#include "peer/progress.h"
#include "peer/reads.h"
#include "peer/settings.h"
#include "peer/topologies.h"

namespace {

using namespace thalweg;
using namespace thalweg::bench;
using namespace std::chrono_literals;

std::atomic<bool> asked_to_stop = false;

/// A field of /proc/self/status, in kilobytes.
std::int64_t memory_kb(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    std::int64_t value = 0;
    if (name == field + ":" && status >> value) return value;
    status.ignore(1'000, '\n');
  }
  return -1;
}

/// What is restored, seen while it is under way. A task that moves to another thread goes on there
/// from where it was.
class RestoreWatch {
 public:
  void look(const StreamsApplication& application) {
    for (const auto& task : application.tasks()) {
      for (const auto& restore : task.restores) {
        auto [seen, is_new] =
            ranges_.try_emplace({to_string(task.id), restore.store}, restore.from, restore.end);
        seen->second.first = std::min(seen->second.first, restore.from);
        seen->second.second = std::max(seen->second.second, restore.end);
        if (began_ns_ == 0 && restore.position > restore.from) began_ns_ = wall_clock_ns();
      }
    }
  }
  /// Once everything is: `began_ns` counts if nothing was ever seen on its way.
  std::string result(std::int64_t began_ns, std::int64_t running_ns) const {
    const std::int64_t from = began_ns_ == 0 ? began_ns : began_ns_;
    const double seconds = std::max(1e-3, static_cast<double>(running_ns - from) * 1e-9);
    std::int64_t restored = 0;
    for (const auto& [store, range] : ranges_) restored += range.second - range.first;
    const auto records = static_cast<double>(restored);
    return fmt::format(
        ",\"restored\":{},\"restore_s\":{:.4f},\"restore_rps\":{:.1f},\"restore_mbs\":{:.2f}",
        restored, seconds, records / seconds, records * kBytesPerRecord / seconds / 1e6);
  }

 private:
  static constexpr double kBytesPerRecord = 108;

  std::map<std::pair<std::string, std::string>, std::pair<Offset, Offset>> ranges_;
  std::int64_t began_ns_ = 0;
};

class Run {
 public:
  explicit Run(PeerSettings settings)
      : settings_(std::move(settings)), began_ns_(wall_clock_ns()), config_(settings_.config()) {
    if (settings_.started_at_ns == 0) settings_.started_at_ns = began_ns_;
  }

  int execute() {
    auto local = LocalEnvironment::open(config_);
    if (!local) throw std::runtime_error(local.error().message);
    if (settings_.embedded) make_output((*local)->log());
    StreamsApplication application(peer_topology(settings_, progress_), config_,
                                   (*local)->environment());
    application.on_state_change([this](auto, StreamsApplication::State to) {
      if (to == StreamsApplication::State::kRunning) note_running();
    });
    if (auto started = application.start(); !started) {
      throw std::runtime_error(started.error().message);
    }
    bool ok = wait(application);
    const std::int64_t done_ns = wall_clock_ns();
    const double done_cpu = cpu_seconds();
    const std::int64_t in = progress_.in.sum();
    const std::int64_t done = progress_.done.sum();
    measure_idle(application);
    const std::int64_t close_ns = wall_clock_ns();
    application.close();
    ok = ok && !application.failure();
    if (application.failure()) fmt::print(stderr, "{}\n", *application.failure());
    print(ok, done_ns, done_cpu, in, done, static_cast<double>(wall_clock_ns() - close_ns) * 1e-6);
    return ok ? 0 : 1;
  }

 private:
  using State = StreamsApplication::State;

  void make_output(Log& log) {
    const auto input = log.topic(settings_.inputs.at(0));
    if (!input) throw std::runtime_error(input.error().message);
    auto made = log.create_topic({.name = settings_.output, .partitions = input->partitions});
    if (!made && made.error().code != ErrorCode::kAlreadyExists) {
      throw std::runtime_error(made.error().message);
    }
  }

  void note_running() {
    std::int64_t none = 0;
    running_ns_.compare_exchange_strong(none, wall_clock_ns());
    if (settings_.ready_file.empty()) return;
    std::ofstream(settings_.ready_file, std::ios::app) << "RUNNING " << wall_clock_ns() << '\n';
  }

  /// Until the workload is through, the time is up or something failed.
  bool wait(const StreamsApplication& application) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(settings_.limit_s);
    const auto until = [&](auto&& reached) {
      while (!reached()) {
        if (application.failure() || std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(1ms);
      }
      return true;
    };
    const std::string& workload = settings_.workload;
    if (workload == "startup" || workload == "restore") {
      RestoreWatch watch;
      const bool running = until([&] {
        watch.look(application);
        return application.state() == State::kRunning;
      });
      if (workload == "restore") extra_ += watch.result(began_ns_, running_ns_);
      return running;
    }
    if (settings_.serves) {
      while (!asked_to_stop && !application.failure()) std::this_thread::sleep_for(20ms);
      return true;
    }
    if (workload == "iq") measure_loaded(application, until);
    return until([this] {
      return progress_.in.sum() >= settings_.records &&
             progress_.done.sum() >= settings_.records_done;
    });
  }

  void measure_loaded(const StreamsApplication& application, auto&& until) {
    constexpr double kSeconds = 5;
    const std::int64_t enough = std::min<std::int64_t>(settings_.records / 5, 500'000);
    if (!until([&] { return progress_.in.sum() >= enough; })) return;
    const std::int64_t before = progress_.in.sum();
    extra_ += measure_reads(application, 1, kSeconds, "loaded1");
    const std::int64_t after = progress_.in.sum();
    extra_ +=
        fmt::format(",\"loaded_rps\":{:.1f},\"loaded_done\":{}",
                    static_cast<double>(after - before) / kSeconds, after >= settings_.records);
  }

  void measure_idle(const StreamsApplication& application) {
    if (settings_.workload == "iq") {
      std::this_thread::sleep_for(500ms);
      extra_ += measure_reads(application, 1, 4, "idle1");
      extra_ += measure_reads(application, 2, 4, "idle2");
    } else if (settings_.workload == "startup") {
      extra_ += fmt::format(",\"rss_running_kb\":{}", memory_kb("VmRSS"));
      std::this_thread::sleep_for(std::chrono::seconds(settings_.idle_s));
      const double before = cpu_seconds();
      std::this_thread::sleep_for(2s);
      extra_ += fmt::format(",\"rss_idle_kb\":{},\"idle_cpu_pct\":{:.2f}", memory_kb("VmRSS"),
                            (cpu_seconds() - before) / 2 * 100);
    }
  }

  double since_start_ms(std::int64_t ns) const {
    return ns == 0 ? -1 : static_cast<double>(ns - settings_.started_at_ns) * 1e-6;
  }

  void print(bool ok, std::int64_t done_ns, double done_cpu, std::int64_t in, std::int64_t done,
             double close_ms) const {
    // Where there are several hops, the source runs ahead of the last one.
    const bool hops = settings_.records_done == settings_.records;
    const std::int64_t n = hops ? std::min(progress_.in.sum(), done) : in;
    const double wall = static_cast<double>(done_ns - progress_.first_ns) * 1e-9;
    fmt::print(
        "{{\"pb\":1,\"impl\":\"thalweg\",\"workload\":\"{}\",\"guarantee\":\"{}\",\"profile\":"
        "\"{}\",\"ok\":{},\"n\":{},\"n_src\":{},\"n_done\":{},\"n_closed\":{},\"t_running_ms\":"
        "{:.1f},\"t_first_ms\":{:.1f},\"t_done_ms\":{:.1f},\"close_ms\":{:.1f},\"wall_s\":{:.4f},"
        "\"rps\":{:.1f},\"cpu_first_s\":{:.4f},\"cpu_done_s\":{:.4f},\"cpu_total_s\":{:.4f},"
        "\"rss_peak_kb\":{},\"errors\":{}{}}}\n",
        settings_.workload, settings_.guarantee, settings_.profile, ok, n, in, done,
        progress_.in.sum(), since_start_ms(running_ns_), since_start_ms(progress_.first_ns),
        since_start_ms(done_ns), close_ms, wall, static_cast<double>(n) / wall,
        progress_.first_cpu_s.load(), done_cpu, cpu_seconds(), memory_kb("VmHWM"), ok ? 0 : 1,
        extra_);
  }

  PeerSettings settings_;
  const std::int64_t began_ns_;
  const StreamsConfig config_;
  Progress progress_;
  std::atomic<std::int64_t> running_ns_ = 0;
  std::string extra_;
};

}  // namespace

int main() {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("peer_candidate"));
  std::signal(SIGTERM, [](int) { asked_to_stop = true; });
  std::signal(SIGINT, [](int) { asked_to_stop = true; });
  try {
    return Run(PeerSettings::from_environment()).execute();
  } catch (const std::exception& error) {
    fmt::print(stderr, "peer_candidate: {}\n", error.what());
    return 2;
  }
}
