#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/stores.h>
#include <thalweg/topology/processor.h>

namespace thalweg {

/// Timers of a processor, one per key, kept in a store: set, cancelled and fired in the transaction
/// of the record that does it, so they outlive a crash as state does and fire once.
///
///     class Reminder : public Processor<std::string, Order> {
///       void init(ProcessorContext<std::string, Order>& context) override {
///         Processor::init(context);
///         timers_.init(context, PunctuationType::kWallClockTime, 1s,
///                      [this](const std::string& order, Timestamp due) { remind(order); });
///       }
///       void process(const RecordRef<std::string, Order>& record) override {
///         if (record.value.is_paid) timers_.cancel(record.key);
///         else timers_.set(record.key, record.timestamp + 15min);
///       }
///       DurableTimers<std::string> timers_{"reminders"};
///     };
///     stream.process(make_reminder, {"reminders"}), after
///     builder.add_state_store(DurableTimers<std::string>::store("reminders"));
template <typename K>
class DurableTimers {
 public:
  using OnTimer = std::function<void(const K& key, Timestamp due)>;

  /// Of the store in which they are kept, connected to the processor.
  explicit DurableTimers(std::string store) : name_(std::move(store)) {}
  static std::shared_ptr<StoreBuilder> store(std::string name, StoreOptions options = {}) {
    return key_value_store_builder<std::string, std::string>(std::move(name), std::move(options));
  }

  /// Looks each `resolution` for timers that are due on that clock, and calls `on_timer` for each,
  /// by time. A timer is gone when it fires; `on_timer` may set it again.
  template <typename Context>
  void init(Context& context, PunctuationType clock, std::chrono::milliseconds resolution,
            OnTimer on_timer) {
    store_ = &context.template key_value_store<std::string, std::string>(name_);
    on_timer_ = std::move(on_timer);
    context.schedule(resolution, clock, [this](Timestamp now) { fire(now); });
  }

  /// The timer of `key` is due at `due`, and at no other time.
  void set(const K& key, Timestamp due) {
    const std::string bytes = bytes_of(key);
    cancel_bytes(bytes);
    store_->put(kByKey + bytes, text_of(due));
    store_->put(kByTime + text_of(due) + bytes, {});
  }
  /// Does nothing if there is none.
  void cancel(const K& key) { cancel_bytes(bytes_of(key)); }
  /// When the timer of `key` is due, if there is one.
  std::optional<Timestamp> due(const K& key) {
    const std::string* text = store_->get(kByKey + bytes_of(key));
    if (!text) return std::nullopt;
    return time_of(*text);
  }

 private:
  // Entries by key, whose values are times, and entries by time and key, which come in the order in
  // which they fire.
  static constexpr const char* kByKey = "k";
  static constexpr const char* kByTime = "t";
  static constexpr const char* kPastAllTimes = "u";
  static constexpr std::size_t kTimeSize = 8;

  static std::string bytes_of(const K& key) {
    std::string bytes;
    Serde<K>{}.serialize(key, bytes);
    return bytes;
  }
  /// Ordered as times are.
  static std::string text_of(Timestamp time) {
    std::string text;
    Serde<std::int64_t>::serialize(std::max<std::int64_t>(0, to_millis(time)), text);
    return text;
  }
  static Timestamp time_of(BytesView text) {
    std::int64_t millis = 0;
    Serde<std::int64_t>::deserialize(text, millis);
    return from_millis(millis);
  }

  void cancel_bytes(const std::string& bytes) {
    const std::string* text = store_->get(kByKey + bytes);
    if (!text) return;
    const std::string by_time = kByTime + *text + bytes;
    store_->remove(kByKey + bytes);
    store_->remove(by_time);
  }

  void fire(Timestamp now) {
    std::vector<std::string> due;
    const std::string later = now < Timestamp::max()
                                  ? kByTime + text_of(now + std::chrono::milliseconds(1))
                                  : std::string(kPastAllTimes);
    for (auto entry = store_->range(kByTime + text_of(from_millis(0)), later);
         entry->valid() && entry->key() < later; entry->next()) {
      due.push_back(entry->key().substr(1));
    }
    for (const std::string& timer : due) {
      const std::string bytes = timer.substr(kTimeSize);
      const std::string* text = store_->get(kByKey + bytes);
      // One that fired before may have cancelled it or set it anew.
      if (!text || *text != timer.substr(0, kTimeSize)) continue;
      cancel_bytes(bytes);
      K key{};
      Serde<K>{}.deserialize(bytes, key);
      on_timer_(key, time_of(timer.substr(0, kTimeSize)));
    }
  }

  std::string name_;
  KeyValueStore<std::string, std::string>* store_ = nullptr;
  OnTimer on_timer_;
};

}  // namespace thalweg
