#include <thalweg/runtime/mock_processor_context.h>

#include "config/config_keys.h"

namespace thalweg {

MockTaskContext::MockTaskContext(StreamsConfig config, TaskId task)
    : config_(std::move(config)), task_(task), app_configs_(internal::config_texts(config_)) {}

std::string MockTaskContext::state_dir() const {
  return internal::task_directory(config_, task_);
}

StateStore& MockTaskContext::store(std::string_view name) {
  const auto found = stores_.find(name);
  if (found == stores_.end()) {
    throw StreamsError("the test has added no store " + std::string(name));
  }
  return *found->second;
}

RecordCollector& MockTaskContext::collector() {
  throw StreamsError("a mocked context sends nothing: test the topology with a TopologyTestDriver");
}

std::string MockTaskContext::topic_name(std::string_view name, bool internal) const {
  return internal ? config_.application_id + "-" + std::string(name) : std::string(name);
}

Cancellable MockTaskContext::schedule(std::chrono::milliseconds interval, PunctuationType type,
                                      std::string_view, Punctuator punctuator) {
  if (interval < std::chrono::milliseconds(1)) {
    throw std::invalid_argument("The minimum supported scheduling interval is 1 millisecond.");
  }
  auto is_cancelled = std::make_shared<bool>(false);
  // As in a task, what it forwards without a time has that of the punctuation, and no headers.
  punctuators_.push_back({interval, type,
                          [this, punctuator = std::move(punctuator)](Timestamp time) {
                            const Scope scope(*this, {time, {}});
                            punctuator(time);
                          },
                          is_cancelled});
  return Cancellable(is_cancelled);
}

void MockTaskContext::dropped(std::string_view, std::string_view reason) {
  drops_.emplace_back(reason);
}

std::optional<std::int64_t> MockTaskContext::processor_metadata(std::string_view key) const {
  const auto found = processor_metadata_.find(key);
  if (found == processor_metadata_.end()) return std::nullopt;
  return found->second;
}

void MockTaskContext::set_processor_metadata(std::string_view key, std::int64_t value) {
  processor_metadata_.insert_or_assign(std::string(key), value);
}

void MockTaskContext::count(std::string_view metric, std::string_view) {
  ++counts_[std::string(metric)];
}

std::uint64_t MockTaskContext::counted(const std::string& metric) const {
  const auto found = counts_.find(metric);
  return found == counts_.end() ? 0 : found->second;
}

void MockTaskContext::add_state_store(const std::shared_ptr<StoreBuilder>& builder) {
  auto store = builder->build();
  const StoreContext context{.record_time = [this] { return current_.timestamp; },
                             .record = &metadata_};
  if (auto opened = store->open(context); !opened) {
    throw StreamsError("store " + builder->name() + " does not open: " + opened.error().message);
  }
  if (!stores_.emplace(builder->name(), std::move(store)).second) {
    throw StreamsError("the test has added store " + builder->name() + " twice");
  }
}

void MockTaskContext::set_record_metadata(std::string topic, std::int32_t partition,
                                          Offset offset) {
  topic_ = std::move(topic);
  metadata_ = {.topic = topic_, .partition = partition, .offset = offset};
}

}  // namespace thalweg
