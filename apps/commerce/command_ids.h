#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/topology/processor.h>

#include "model.h"
#include "table_serde.h"

// Commands with an id, which clients give so that a retry has no second effect.
namespace thalweg::shop {

namespace stores {
inline constexpr const char* kAccountCommandIds = "account-commands-seen";
inline constexpr const char* kProductCommandIds = "product-commands-seen";
}  // namespace stores

/// A command that had effect, as the stores above have it under command_key().
struct SeenCommand {
  std::int64_t at = 0;      ///< The time of its record.
  std::int64_t amount = 0;  ///< What it added: money, or units.
};

/// `key` is that of the commands' records: ids of two keys have nothing to do with one another.
std::string command_key(std::string_view key, std::string_view command_id);

/// Whether a command whose record is of the time `at` is the same as one of its id that had effect
/// at `seen_at`. Depends on the records alone: whoever counts commands comes to the same result.
bool is_repeated(std::int64_t seen_at, std::int64_t at, std::chrono::milliseconds retention);

inline std::int64_t amount_of(const AccountCommand& command) { return command.amount; }
inline std::int64_t amount_of(const StockCommand& command) { return command.quantity; }

}  // namespace thalweg::shop

THALWEG_SHOP_SERDE(SeenCommand);

namespace thalweg::shop {

/// Lets each command id pass once within `retention`. A command without an id always passes.
///
/// `Command` has a member `command_id`. `store` keeps SeenCommand.
template <typename Command>
class OncePerCommandId final : public FixedKeyProcessor<std::string, Command> {
 public:
  OncePerCommandId(std::string store, std::chrono::milliseconds retention)
      : store_(std::move(store)), retention_(retention) {}

  void init(FixedKeyProcessorContext<std::string, Command>& context) override {
    FixedKeyProcessor<std::string, Command>::init(context);
    seen_ = &context.template key_value_store<std::string, SeenCommand>(store_);
    context.task().schedule(std::chrono::minutes(10), PunctuationType::kStreamTime, store_,
                            [this](Timestamp now) { forget(now); });
  }

  void process(const RecordRef<std::string, Command>& record) override {
    const std::string& id = record.value.command_id;
    if (!id.empty()) {
      const std::string key = command_key(record.key, id);
      const std::int64_t at = to_millis(record.timestamp);
      const SeenCommand* seen = seen_->get(key);
      if (seen && is_repeated(seen->at, at, retention_)) return;
      seen_->put(key, {at, amount_of(record.value)});
    }
    this->context().forward(record.value);
  }

 private:
  /// What no record can be a repetition of, even one as late as ids are kept.
  void forget(Timestamp now) {
    const std::int64_t end = to_millis(now - 2 * retention_);
    std::optional<std::string> from;
    std::vector<std::string> old;
    do {
      old.clear();
      {
        const auto ids = seen_->range(from, std::nullopt);
        for (; ids->valid() && old.size() < kForgottenAtOnce; ids->next()) {
          if (ids->value().value.at < end) old.push_back(ids->key());
        }
      }
      for (const auto& id : old) seen_->remove(id);
      if (!old.empty()) from = old.back();
    } while (old.size() == kForgottenAtOnce);
  }

  static constexpr std::size_t kForgottenAtOnce = 10'000;  // By what is held in memory.

  std::string store_;
  std::chrono::milliseconds retention_;
  KeyValueStore<std::string, SeenCommand>* seen_ = nullptr;
};

}  // namespace thalweg::shop
