#include "peer/shuffle.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <thalweg/state/stores.h>
#include <thalweg/topology/kstream.h>

#include "peer/blob.h"
#include "peer/shuffle_rules.h"

namespace thalweg::bench {
namespace {

using Blob = std::string;
using NoKey = std::optional<std::string>;

constexpr std::int64_t kRecordsPerOutput = 10;
constexpr const char* kStore = "consumerAggregation";

/// Sends a record to the consumer of every rule that wants it.
class Matcher final : public Processor<NoKey, Blob, std::string, Blob> {
 public:
  Matcher(std::shared_ptr<const ShuffleRules> rules, Progress& progress)
      : rules_(std::move(rules)), progress_(progress) {}
  void process(const RecordRef<NoKey, Blob>& record) override {
    progress_.count_in();
    rules_->match(record.value, [&](std::uint32_t rule) {
      out_.assign(8, '\0').append(record.value);
      write_i64(out_, 0, to_millis(record.timestamp));
      key_ = "consumer_" + std::to_string(rule);
      context().forward(key_, out_);
    });
  }

 private:
  const std::shared_ptr<const ShuffleRules> rules_;
  Progress& progress_;
  std::string key_;
  Blob out_;
};

// What a consumer keeps: count, sum, first time, last time, the record.
constexpr std::size_t kCount = 0;
constexpr std::size_t kSum = 8;
constexpr std::size_t kFirst = 16;
constexpr std::size_t kLast = 24;
constexpr std::size_t kCopy = 32;

class Consumer final : public FixedKeyProcessor<std::string, Blob> {
 public:
  Consumer(std::size_t state_bytes, Progress& progress)
      : state_bytes_(state_bytes), progress_(progress) {}
  void init(FixedKeyProcessorContext<std::string, Blob>& context) override {
    FixedKeyProcessor::init(context);
    store_ = &context.key_value_store<std::string, Blob>(kStore);
  }
  void process(const RecordRef<std::string, Blob>& record) override {
    const Blob& value = record.value;
    const std::int64_t number = read_i64(value, 8);
    std::int64_t before = 0;
    if (const Blob* found = store_->get(record.key)) {
      state_ = *found;
    } else {
      // New ones start anywhere, so that not all of them put out at once.
      state_.assign(state_bytes_, '\0');
      before = static_cast<std::int64_t>(mix(static_cast<std::uint64_t>(number)) % 10);
    }
    const std::int64_t count = read_i64(state_, kCount) + before + 1;
    write_i64(state_, kCount, count);
    write_i64(state_, kSum, read_i64(state_, kSum) + number);
    if (count == 1) write_i64(state_, kFirst, read_i64(value, 0));
    write_i64(state_, kLast, read_i64(value, 0));
    const std::size_t copied = std::min(state_.size() - kCopy, value.size() - 8);
    std::copy_n(value.begin() + 8, copied, state_.begin() + kCopy);
    if (count == kRecordsPerOutput) {
      context().forward(state_);
      state_.assign(state_bytes_, '\0');
    }
    store_->put(record.key, state_);
    progress_.done.add();
  }

 private:
  const std::size_t state_bytes_;
  Progress& progress_;
  KeyValueStore<std::string, Blob>* store_ = nullptr;
  Blob state_;
};

struct ConsumerSupplier {
  std::size_t state_bytes;
  bool caching;
  Progress& progress;
  std::unique_ptr<Consumer> operator()() const {
    return std::make_unique<Consumer>(state_bytes, progress);
  }
  std::vector<std::shared_ptr<StoreBuilder>> stores() const {
    return {key_value_store_builder<std::string, Blob>(kStore,
                                                       {.caching = caching, .timestamps = false})};
  }
};

}  // namespace

void shuffle(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  if (settings.state_bytes < static_cast<std::int64_t>(kCopy)) {
    throw std::invalid_argument("PB_STATE_SIZE must be 32 at least");
  }
  const auto rules = std::make_shared<const ShuffleRules>(kShuffleRules, kShuffleSelectivity);
  builder.stream<NoKey, Blob>(settings.inputs.at(0))
      .process([rules, &progress] { return std::make_unique<Matcher>(rules, progress); })
      .repartition({.name = "shuffle"})
      .process_values(ConsumerSupplier{static_cast<std::size_t>(settings.state_bytes),
                                       settings.tuned(), progress})
      .to(settings.output);
}

}  // namespace thalweg::bench
