#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/bytes.h>
#include <thalweg/topology/processor.h>

namespace thalweg::shop {

/// Lets each command id pass once. A command without an id always passes.
///
/// `Command` has a member `command_id`. Ids are kept per key in `store`, for as long as asked.
template <typename Command>
class OncePerCommandId final : public FixedKeyProcessor<std::string, Command> {
 public:
  OncePerCommandId(std::string store, std::chrono::milliseconds retention)
      : store_(std::move(store)), retention_(retention) {}

  void init(FixedKeyProcessorContext<std::string, Command>& context) override {
    FixedKeyProcessor<std::string, Command>::init(context);
    seen_ = &context.template key_value_store<std::string, std::int64_t>(store_);
    context.task().schedule(std::chrono::minutes(10), PunctuationType::kWallClockTime, store_,
                            [this](Timestamp now) { forget(now); });
  }

  void process(const RecordRef<std::string, Command>& record) override {
    const std::string& id = record.value.command_id;
    if (!id.empty()) {
      const std::string key = record.key + '\n' + id;
      if (seen_->get(key)) return;
      seen_->put(key, to_millis(this->context().task().wall_clock_time()));
    }
    this->context().forward(record.value);
  }

 private:
  void forget(Timestamp now) {
    std::vector<std::string> old;
    {
      const auto ids = seen_->all();
      for (; ids->valid() && old.size() < kForgetMax; ids->next()) {
        if (from_millis(ids->value().value) + retention_ < now) old.push_back(ids->key());
      }
    }
    for (const auto& id : old) seen_->remove(id);
  }

  static constexpr std::size_t kForgetMax = 10'000;

  std::string store_;
  std::chrono::milliseconds retention_;
  KeyValueStore<std::string, std::int64_t>* seen_ = nullptr;
};

/// Turns an unreadable record into a dead letter: its bytes as they came, and headers that say
/// where it came from and what is wrong with it, named as in KIP-1034.
///
/// `Record` has the `bytes` as they came, and `fault(key)`.
template <typename Record>
class DeadLetterProcessor final : public FixedKeyProcessor<std::string, Record, Bytes> {
 public:
  void process(const RecordRef<std::string, Record>& record) override {
    const auto& from = this->context().task().metadata();
    Headers headers = record.headers;
    headers.add("__streams.errors.exception", "SerdeError");
    headers.add("__streams.errors.message", record.value.fault(record.key));
    headers.add("__streams.errors.topic", std::string(from.topic));
    headers.add("__streams.errors.partition", std::to_string(from.partition));
    headers.add("__streams.errors.offset", std::to_string(from.offset));
    this->context().forward(Bytes{record.value.bytes}, record.timestamp, headers);
  }
};

}  // namespace thalweg::shop
