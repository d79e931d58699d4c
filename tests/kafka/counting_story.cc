#include "kafka/counting_story.h"

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <numeric>
#include <signal.h>
#include <sstream>
#include <sys/wait.h>
#include <thread>

#include <thalweg/schemas/serde.h>

namespace thalweg::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto kGlance = 10ms;

}  // namespace

// --- CountApp -----------------------------------------------------------------------------------

CountApp::CountApp(const std::string& application_id, const std::string& state_dir,
                   const std::string& bootstrap_servers, const std::vector<std::string>& settings)
    : output_(state_dir + ".out") {
  std::vector<std::string> command = {THALWEG_COUNT_APP, "--input", application_id + "-input",
                                      "--output", application_id + "-output"};
  std::vector<std::string> all = {
      "application.id=" + application_id,       "state.dir=" + state_dir,
      "bootstrap.servers=" + bootstrap_servers, "consumer.heartbeat.interval.ms=200",
      "consumer.session.timeout.ms=3000",       "transaction.timeout.ms=5000"};
  all.insert(all.end(), settings.begin(), settings.end());
  for (const auto& setting : all) command.insert(command.end(), {"--set", setting});
  std::ofstream(output_, std::ios::trunc);
  pid_ = start_program(command, output_);
}

CountApp::~CountApp() { kill(); }

std::string CountApp::output() const {
  std::ifstream file(output_);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void CountApp::wait_until_running() {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!("\n" + output()).contains("\nRUNNING\n")) {
    int status = 0;
    const bool ended = pid_ < 0 || ::waitpid(pid_, &status, WNOHANG) == pid_;
    if (ended || std::chrono::steady_clock::now() > deadline) {
      if (ended) pid_ = -1;
      ADD_FAILURE() << "the application does not run:\n" << output();
      return;
    }
    std::this_thread::sleep_for(kGlance);
  }
}

void CountApp::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait_for_end(pid_);
  pid_ = -1;
}

void CountApp::freeze() { ::kill(pid_, SIGSTOP); }
void CountApp::thaw() { ::kill(pid_, SIGCONT); }

int CountApp::stop() {
  if (pid_ < 0) return -1;
  ::kill(pid_, SIGTERM);
  const int code = wait_for_end(pid_);
  pid_ = -1;
  return code;
}

// --- CountingStory ------------------------------------------------------------------------------

CountingStory::CountingStory(KafkaCluster& cluster, const std::string& name, int partitions,
                             std::map<std::string, std::string> login)
    : cluster_(cluster),
      application_id_(name),
      input_(name + "-input"),
      output_(name + "-output"),
      partitions_(partitions),
      login_(std::move(login)) {
  auto log =
      open_kafka_log({.bootstrap_servers = cluster.bootstrap_servers(), .properties = login_});
  if (!log) throw std::runtime_error(log.error().message);
  log_ = *std::move(log);
  for (const auto& topic : {input_, output_}) {
    const auto made = log_->create_topic({.name = topic, .partitions = partitions});
    if (!made) throw std::runtime_error(made.error().message);
  }
  producer_ = std::make_unique<AsyncProducer>(*log_, "story");
  input_read_ = open(input_);
  output_read_ = open(output_);
}

CountingStory::Read CountingStory::open(const std::string& topic) {
  Read read{.consumer = log_->consumer({.client_id = "story"})};
  for (int i = 0; i < partitions_; ++i) {
    read.consumer->assign({topic, i}, 0, static_cast<std::uint32_t>(i));
  }
  return read;
}

CountApp& CountingStory::start(const std::vector<std::string>& settings) {
  directories_.push_back(directory_.path() + "/" + std::to_string(directories_.size()));
  apps_.push_back(std::make_unique<CountApp>(application_id_, directories_.back(),
                                             cluster_.bootstrap_servers(way(apps_.size())),
                                             with_login(settings)));
  return *apps_.back();
}

int CountingStory::way(std::size_t app) const {
  return cluster_.ways() == 0 ? 0 : static_cast<int>(app + 1) % cluster_.ways();
}

CountApp& CountingStory::start_again(std::size_t earlier,
                                     const std::vector<std::string>& settings) {
  apps_.at(earlier) = nullptr;
  apps_[earlier] =
      std::make_unique<CountApp>(application_id_, directories_.at(earlier),
                                 cluster_.bootstrap_servers(way(earlier)), with_login(settings));
  return *apps_[earlier];
}

std::vector<std::string> CountingStory::with_login(std::vector<std::string> settings) const {
  for (const auto& [key, value] : login_) settings.push_back(key + "=" + value);
  return settings;
}

void CountingStory::write(int records, int keys) {
  std::mutex mutex;
  std::condition_variable changed;
  int left = records;
  for (int i = 0; i < records; ++i) {
    const std::int64_t number = written_++;
    producer_->send(input_, "key-" + std::to_string(number % keys), "12345678",
                    from_millis(1'000'000 + number), {}, [&](const auto&) {
                      const std::lock_guard lock(mutex);
                      --left;
                      changed.notify_one();
                    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return left == 0; });
}

void CountingStory::read(Read& topic) {
  std::vector<RecordBatch> batches;
  while (topic.consumer->fetch(batches, 10'000)) {
  }
  for (const auto& batch : batches) {
    for (const auto& record : batch.records) {
      std::int64_t value = 0;
      Serde<std::int64_t>::deserialize(*record.value, value);
      topic.values[std::string(*record.key)].push_back(value);
      ++topic.records;
    }
  }
}

std::size_t CountingStory::output_records() {
  read(output_read_);
  return output_read_.records;
}

std::size_t CountingStory::input_records() {
  read(input_read_);
  return input_read_.records;
}

void CountingStory::wait_for_output(std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::size_t end = 0;
  for (int i = 0; i < partitions_; ++i) {
    const auto range = log_->range({input_, i});
    if (range) end += static_cast<std::size_t>(range->end);
  }
  while ((input_records() < end || output_records() < input_read_.records) &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kGlance);
  }
}

void CountingStory::wait_for_output_of(std::size_t records, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (output_records() < records && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kGlance);
  }
}

const std::vector<std::int64_t>& CountingStory::counts(const std::string& key) {
  read(output_read_);
  return output_read_.values[key];
}

void CountingStory::expect_each_record_counted_once() {
  EXPECT_EQ(output_records(), input_records());
  for (const auto& [key, written] : input_read_.values) {
    std::vector<std::int64_t> expected(written.size());
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(output_read_.values[key], expected) << key;
  }
}

// --- Load and GapWatch --------------------------------------------------------------------------

Load::Load(CountingStory& story)
    : thread_([this, &story] {
        while (!stopping_) {
          story.write(100);
          std::this_thread::sleep_for(2 * kGlance);
        }
      }) {}

void Load::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

GapWatch::GapWatch(CountingStory& story)
    : thread_([this, &story] {
        const auto consumer = story.log().consumer({.client_id = "watch"});
        for (int i = 0; i < story.partitions(); ++i) {
          const auto range = story.log().range({story.output(), i});
          consumer->assign({story.output(), i}, range ? range->end : 0,
                           static_cast<std::uint32_t>(i));
        }
        watch(*consumer, story.partitions());
      }) {}

void GapWatch::watch(LogConsumer& consumer, int partitions) {
  std::vector<Clock::time_point> last(static_cast<std::size_t>(partitions), Clock::now());
  const auto note = [this](Clock::duration gap) {
    longest_ = std::max(longest_, std::chrono::duration_cast<std::chrono::milliseconds>(gap));
  };
  while (!stopping_) {
    std::vector<RecordBatch> batches;
    if (!consumer.fetch(batches, 10'000)) std::this_thread::sleep_for(kGlance / 2);
    for (const RecordBatch& batch : batches) {
      if (batch.records.empty()) continue;
      const auto now = Clock::now();
      note(now - std::exchange(last[batch.tag], now));
    }
  }
  for (const auto& time : last) note(Clock::now() - time);
}

std::chrono::milliseconds GapWatch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return longest_;
}

}  // namespace thalweg::testing
