#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/processor_site.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/value_transformer.h>

namespace thalweg::internal {

/// A user's transformer in one place: in the node of its table, or in a node that looks up rows.
template <typename T>
class TransformerSite final : public ValueTransformerContext {
 public:
  using K = typename T::InputKey;
  using V = typename T::InputValue;
  using VOut = typename T::OutputValue;

  TransformerSite(std::string name, std::vector<std::string> stores, std::unique_ptr<T> transformer)
      : name_(std::move(name)), stores_(std::move(stores)), transformer_(std::move(transformer)) {
    if (!transformer_) ProcessorSite::no_processor(name_);
  }

  void init(TaskContext& task) {
    task_ = &task;
    transformer_->init(*this);
  }
  std::optional<VOut> transform(const K& key, const V* value, const RecordContext& context) {
    current_ = context;
    const TimeScope scope{*task_, task_->exchange_record_time(context.timestamp)};
    return transformer_->transform(key, value);
  }
  void close() { transformer_->close(); }

  Timestamp timestamp() const override { return current_.timestamp; }
  const Headers& headers() const override { return *current_.headers; }
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       Punctuator punctuator) override {
    return task_->schedule(interval, type, name_, std::move(punctuator));
  }
  std::string_view name() const override { return name_; }
  TaskContext& task() override { return *task_; }

 private:
  /// Writes to stores take the time of what is being transformed.
  struct TimeScope {
    TaskContext& task;
    Timestamp time_before;
    ~TimeScope() { task.exchange_record_time(time_before); }
  };

  StateStore& store(std::string_view name) override {
    return connected_store(*task_, name_, stores_, name);
  }

  std::string name_;
  std::vector<std::string> stores_;
  std::unique_ptr<T> transformer_;
  TaskContext* task_ = nullptr;
  RecordContext current_;
};

}  // namespace thalweg::internal
