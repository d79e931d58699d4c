#include "simulation/process_story.h"

#include <utility>

namespace thalweg::simulation {

void ProcessStory::create_topics(const std::vector<std::string>& names) {
  for (const auto& name : names) ASSERT_TRUE(log_->create_topic({.name = name, .partitions = 1}));
}

void ProcessStory::write_records(const std::string& topic,
                                 const std::vector<WrittenRecord>& records) {
  auto client = log_->producer({.client_id = "test"});
  client->init();
  client->begin();
  const TopicHandle handle = client->topic(topic);
  for (const auto& record : records) {
    ASSERT_TRUE(client->send(handle, record.partition, record.key, record.value,
                             record.time.value_or(clock_.wall_clock()), {}));
  }
  client->commit();
  for (int i = 0; i < 10; ++i) log_->step();
}

void ProcessStory::write(const std::string& topic, const std::vector<std::string>& values) {
  write_records(topic, {values.begin(), values.end()});
}

std::vector<std::string> ProcessStory::values_of(const std::string& topic) {
  std::vector<std::string> values;
  for (const auto& record : read_topic(*log_, clock_, topic)) values.push_back(*record.value);
  return values;
}

void ProcessStory::start(ApplicationSpec spec, Log& log, Storage& storage) {
  process_.reset();  // Before there is another on the same disk.
  process_ = std::make_unique<SimulatedProcess>(log, storage, clock_, std::vector{std::move(spec)},
                                                random_);
}

bool ProcessStory::round() {
  const bool logged = log_->step();
  return (process_ && process_->step_all()) || logged;
}

void ProcessStory::run() {
  for (int i = 0; i < 30; ++i) round();
}

void ProcessStory::rest() {
  run_until_idle(clock_, [this] { return round(); });
}

}  // namespace thalweg::simulation
