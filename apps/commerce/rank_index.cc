#include "rank_index.h"

#include <vector>

#include <thalweg/state/stores.h>

#include "text.h"

namespace thalweg::shop {
namespace {

using Scores = KeyValueStore<std::string, std::int64_t>;

class RankKeeper final : public Processor<Place, std::optional<std::int64_t>, Place, std::int64_t> {
 public:
  RankKeeper(std::string store, std::chrono::milliseconds retention)
      : store_(std::move(store)), retention_(retention) {}

  void init(ProcessorContext<Place, std::int64_t>& context) override {
    Processor::init(context);
    scores_ = &context.key_value_store<std::string, std::int64_t>(store_);
    if (retention_ == kForever) return;
    context.schedule(std::chrono::minutes(1), PunctuationType::kStreamTime,
                     [this](Timestamp now) { forget(now); });
  }

  void process(const RecordRef<Place, std::optional<std::int64_t>>& record) override {
    const auto& [list, member] = record.key;
    const std::int64_t score = record.value.value_or(0);
    const std::string own = score_key(list, member);
    const std::int64_t* known = scores_->get(own);
    const std::int64_t before = known ? *known : 0;
    if (before == score) return;
    if (before != 0) scores_->remove(rank_key(list, before, member));
    if (score == 0) return scores_->remove(own);
    scores_->put(own, score);
    scores_->put(rank_key(list, score, member), score);
  }

 private:
  static constexpr std::size_t kForgottenAtOnce = 10'000;  // By what is held in memory.

  void forget(Timestamp now) {
    const std::string end = window_list(now - retention_);
    std::vector<std::string> old;
    do {
      old.clear();
      {
        const auto rows = scores_->range(std::nullopt, end);
        for (; rows->valid() && old.size() < kForgottenAtOnce; rows->next()) {
          old.push_back(rows->key());
        }
      }
      for (const auto& key : old) scores_->remove(key);
    } while (old.size() == kForgottenAtOnce);
  }

  const std::string store_;
  const std::chrono::milliseconds retention_;
  Scores* scores_ = nullptr;
};

}  // namespace

std::string rank_prefix(std::string_view list) { return std::string(list) + "\nr"; }

std::string rank_key(std::string_view list, std::int64_t score, std::string_view member) {
  std::string key;
  key.reserve(list.size() + member.size() + 19);
  key.append(list).append("\nr");
  static constexpr char kHex[] = "0123456789abcdef";
  const auto turned = ~static_cast<std::uint64_t>(score);
  for (int shift = 60; shift >= 0; shift -= 4) key += kHex[turned >> shift & 15];
  return key.append("\n").append(member);
}

std::string score_key(std::string_view list, std::string_view member) {
  std::string key;
  key.reserve(list.size() + member.size() + 2);
  return key.append(list).append("\np").append(member);
}

std::string_view member_of(std::string_view key) {
  const auto kind = key.find('\n') + 1;
  constexpr std::size_t kScoreAndLine = 17;
  return key.substr(kind + 1 + (key[kind] == 'r' ? kScoreAndLine : 0));
}

std::string window_list(Timestamp start) { return iso8601(to_millis(start)); }

void keep_ranked(StreamsBuilder& builder, const KStream<Place, std::optional<std::int64_t>>& scores,
                 std::string store, std::chrono::milliseconds retention) {
  builder.add_state_store(
      key_value_store_builder<std::string, std::int64_t>(store, {.caching = true}));
  scores.process([store, retention] { return std::make_unique<RankKeeper>(store, retention); },
                 {store}, {.name = "keep-" + store});
}

}  // namespace thalweg::shop
