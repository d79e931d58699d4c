// One run of one workload on Kafka, for comparisons side by side: see bench/README.md for the
// environment variables that say which. The last line of the output is the result.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
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

constexpr const char* kUsage =
    R"(Usage: PB_WORKLOAD=count PB_IN=pb-kv PB_OUT=pb-out PB_N=1000000 ... peer_candidate

One run of one workload with Thalweg, for comparisons with Kafka Streams. It takes no arguments:
variables of the environment say what to do, bench/README.md lists them all. The last line of the
standard output is the result, a JSON object. The exit code is 1 when the run did not reach its
end, 2 when it could not begin.
)";

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

/// Adds up what restores do: records from the stores' starts to their ends, in the time from the
/// first start to the last end.
class RestoreWatch final : public StateRestoreListener {
 public:
  void on_restore_start(const TopicPartition&, std::string_view, Offset, Offset) override {
    std::int64_t none = 0;
    began_ns_.compare_exchange_strong(none, wall_clock_ns());
  }
  // Not what ends tell: a task that moves to another thread goes on there, from a start of its own.
  void on_batch_restored(const TopicPartition&, std::string_view, Offset,
                         std::uint64_t records) override {
    records_ += records;
  }
  void on_restore_end(const TopicPartition&, std::string_view, std::uint64_t) override {
    ended_ns_ = wall_clock_ns();
  }

  std::string result(std::uint64_t rows) const {
    const double seconds = std::max(1e-3, static_cast<double>(ended_ns_ - began_ns_) * 1e-9);
    const auto records = static_cast<double>(records_);
    return fmt::format(
        ",\"restored\":{},\"restored_rows\":{},\"restore_s\":{:.4f},\"restore_rps\":{:.1f},"
        "\"restore_mbs\":{:.2f}",
        records_.load(), rows, seconds, records / seconds,
        records * kBytesPerRecord / seconds / 1e6);
  }

 private:
  static constexpr double kBytesPerRecord = 108;

  std::atomic<std::int64_t> began_ns_ = 0;
  std::atomic<std::int64_t> ended_ns_ = 0;
  std::atomic<std::uint64_t> records_ = 0;
};

class Run {
 public:
  explicit Run(PeerSettings settings)
      : settings_(std::move(settings)),
        config_(settings_.config()),
        limit_(std::chrono::steady_clock::now() + std::chrono::seconds(settings_.limit_s)) {
    if (settings_.started_at_ns == 0) settings_.started_at_ns = wall_clock_ns();
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
    application.set_state_restore_listener(restores_);
    if (auto started = application.start(); !started) {
      throw std::runtime_error(started.error().message);
    }
    bool ok = wait(application);
    if (!done_) done_ = mark();
    if (ok) measure_idle(application);
    const Mark close_began = mark();
    application.close();
    ok = ok && !application.failure();
    if (application.failure()) fmt::print(stderr, "{}\n", *application.failure());
    print(ok, close_began, mark());
    return ok ? 0 : 1;
  }

 private:
  using State = StreamsApplication::State;

  /// How far the run was at some time, and what it had used.
  struct Mark {
    std::int64_t ns;
    double cpu_s;
    std::int64_t in;
    std::int64_t done;

    double seconds_since(const Mark& before) const {
      return static_cast<double>(ns - before.ns) * 1e-9;
    }
  };

  Mark mark() const {
    return {wall_clock_ns(), cpu_seconds(), progress_.in.sum(), progress_.done.sum()};
  }
  std::int64_t records_at(const Mark& mark) const {
    return settings_.ends_with_the_last_step() ? std::min(mark.in, mark.done) : mark.in;
  }

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

  /// Until the workload is through, the time is up or something failed; whether it is through.
  bool wait(const StreamsApplication& application) {
    const std::string& workload = settings_.workload;
    if (workload == "startup" || workload == "restore") {
      // The state is kRunning a moment before the listener has noted when it was.
      const bool running = until(application, [this] { return running_ns_ != 0; });
      if (running && workload == "restore") extra_ += restores_->result(rows_in(application));
      return running;
    }
    if (settings_.serves) {
      while (!asked_to_stop && !application.failure()) std::this_thread::sleep_for(20ms);
      return true;
    }
    if (workload == "iq") return drain_and_read(application);
    return until(application, [this] { return look_for_the_end(); });
  }

  bool until(const StreamsApplication& application, auto&& reached) const {
    while (!reached()) {
      if (application.failure()) return false;
      const bool too_late = std::chrono::steady_clock::now() > limit_;
      if (too_late || asked_to_stop) {
        const std::string when = too_late ? fmt::format("in {} s", settings_.limit_s)
                                          : std::string("when it was asked to stop");
        fmt::print(stderr,
                   "peer_candidate: not done {}: {} of {} records, {} of {} at the last step\n",
                   when, progress_.in.sum(), settings_.records, progress_.done.sum(),
                   settings_.records_done);
        return false;
      }
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  /// Whether every record is done. Notes when a fifth of them were.
  bool look_for_the_end() {
    if (!warm_ && is_done(kWarmPart)) warm_ = mark();
    return is_done(1);
  }
  bool is_done(double part) const {
    const auto enough = [part](const Count& count, std::int64_t of) {
      return static_cast<double>(count.sum()) >= part * static_cast<double>(of);
    };
    return enough(progress_.in, settings_.records) &&
           enough(progress_.done, settings_.records_done);
  }

  /// Reads from outside while records are processed, and no longer: they are reads under load.
  bool drain_and_read(const StreamsApplication& application) {
    constexpr double kSeconds = 5;
    constexpr double kEnoughSeconds = 0.1;
    const std::int64_t some = std::min<std::int64_t>(settings_.records / 5, 500'000);
    const auto has_some = [&] { return look_for_the_end() || progress_.in.sum() >= some; };
    if (!until(application, has_some)) return false;
    std::stop_source all_done;
    auto reads = std::async(std::launch::async, [&] {
      const std::int64_t before = progress_.in.sum();
      const auto seen = measure_reads(application, 1, kSeconds, "loaded1", all_done.get_token());
      return std::pair(seen, progress_.in.sum() - before);
    });
    const bool ok = until(application, [this] { return look_for_the_end(); });
    done_ = mark();
    const bool all_seconds = reads.wait_for(0s) == std::future_status::ready;
    all_done.request_stop();
    const auto [seen, processed] = reads.get();
    extra_ += seen.members;
    extra_ += fmt::format(
        ",\"loaded_hit_rate\":{:.4f},\"loaded_s\":{:.3f},\"loaded_rps\":{:.1f},\"loaded_done\":{}",
        seen.hit_rate, seen.seconds, static_cast<double>(processed) / seen.seconds, !all_seconds);
    if (ok && seen.seconds < kEnoughSeconds) {
      fmt::print(stderr, "peer_candidate: PB_N is too small to read while it is processed\n");
      return false;
    }
    return ok;
  }

  /// As the store tells it, without reading it through, which would cost more than the restore:
  /// some may be counted twice.
  static std::uint64_t rows_in(const StreamsApplication& application) {
    std::uint64_t rows = 0;
    for (const auto& store : application.stores()) rows += store.approximate_entries;
    return rows;
  }

  void measure_idle(const StreamsApplication& application) {
    if (settings_.workload == "iq") {
      std::this_thread::sleep_for(500ms);
      extra_ += measure_reads(application, 1, 4, "idle1").members;
      extra_ += measure_reads(application, 2, 4, "idle2").members;
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

  void print(bool ok, const Mark& close_began, const Mark& closed) const {
    const std::int64_t records = records_at(*done_);
    const std::int64_t first_ns = progress_.first_ns;
    const double wall = first_ns == 0 ? 0 : static_cast<double>(done_->ns - first_ns) * 1e-9;
    fmt::print(
        "{{\"pb\":1,\"impl\":\"thalweg\",\"workload\":\"{}\",\"guarantee\":\"{}\",\"profile\":"
        "\"{}\",\"ok\":{},\"n\":{},\"n_src\":{},\"n_done\":{},\"n_closed\":{},\"t_running_ms\":"
        "{:.1f},\"t_first_ms\":{:.1f},\"t_done_ms\":{:.1f},\"close_ms\":{:.1f},\"wall_s\":{:.4f},"
        "\"rps\":{:.1f},\"cpu_first_s\":{:.4f},\"cpu_done_s\":{:.4f},\"cpu_total_s\":{:.4f},"
        "\"rss_peak_kb\":{},\"errors\":{}{}{}}}\n",
        settings_.workload, settings_.guarantee, settings_.profile, ok, records, done_->in,
        done_->done, closed.in, since_start_ms(running_ns_), since_start_ms(first_ns),
        since_start_ms(done_->ns), closed.seconds_since(close_began) * 1e3, wall,
        wall > 0 ? static_cast<double>(records) / wall : 0, progress_.first_cpu_s.load(),
        done_->cpu_s, closed.cpu_s, memory_kb("VmHWM"), ok ? 0 : 1,
        steady(closed.cpu_s - close_began.cpu_s), extra_);
  }

  /// What a program does that has run for a while: without its start and the first fifth, in which
  /// a JIT compiles. Closing belongs to it, since caches are written out then.
  std::string steady(double closing_cpu_s) const {
    if (!warm_ || records_at(*done_) <= records_at(*warm_)) return {};
    const auto records = static_cast<double>(records_at(*done_) - records_at(*warm_));
    return fmt::format(",\"steady_records_per_s\":{:.1f},\"steady_cpu_us_per_record\":{:.4f}",
                       records / done_->seconds_since(*warm_),
                       (done_->cpu_s - warm_->cpu_s + closing_cpu_s) / records * 1e6);
  }

  static constexpr double kWarmPart = 0.2;

  PeerSettings settings_;
  const StreamsConfig config_;
  Progress progress_;
  const std::chrono::steady_clock::time_point limit_;
  const std::shared_ptr<RestoreWatch> restores_ = std::make_shared<RestoreWatch>();
  std::atomic<std::int64_t> running_ns_ = 0;
  std::optional<Mark> warm_;
  std::optional<Mark> done_;
  std::string extra_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool asks = std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h";
    fmt::print(asks ? stdout : stderr, "{}", kUsage);
    return asks ? 0 : 2;
  }
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
