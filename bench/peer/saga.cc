#include "peer/saga.h"

#include <memory>
#include <optional>
#include <string>

#include <thalweg/state/stores.h>
#include <thalweg/topology/kstream.h>

#include "peer/blob.h"

namespace thalweg::bench {
namespace {

using Blob = std::string;
using Id = std::int64_t;

// Where an order of 100 bytes keeps what.
constexpr std::size_t kOrder = 0;
constexpr std::size_t kProduct = 8;
constexpr std::size_t kUser = 12;
constexpr std::size_t kQuantity = 16;
constexpr std::size_t kAmount = 20;
constexpr std::size_t kStatus = 36;

enum Status : char { kNew, kReserved, kOutOfStock, kPaid, kDeclined, kCompleted, kRejected };

/// Takes an amount from what its key has left, if there is enough.
struct Step {
  const char* store;
  Status from;
  Status taken;
  Status refused;
  std::int64_t first;  ///< What a key has that was never seen.
  std::int64_t (*amount)(const Blob& order);
};

constexpr Step kStock{"stock", kNew, kReserved, kOutOfStock, 10'000'000, [](const Blob& order) {
                        return static_cast<std::int64_t>(read_i32(order, kQuantity));
                      }};
constexpr Step kPayment{"payment",     kReserved,
                        kPaid,         kDeclined,
                        1'000'000'000, [](const Blob& order) { return read_i64(order, kAmount); }};

class Taker final : public FixedKeyProcessor<Id, Blob> {
 public:
  explicit Taker(const Step& step) : step_(step) {}
  void init(FixedKeyProcessorContext<Id, Blob>& context) override {
    FixedKeyProcessor::init(context);
    store_ = &context.key_value_store<Id, std::int64_t>(step_.store);
  }
  void process(const RecordRef<Id, Blob>& record) override {
    order_ = record.value;
    if (order_.at(kStatus) == step_.from) {
      const std::int64_t* found = store_->get(record.key);
      const std::int64_t left = found ? *found : step_.first;
      const std::int64_t amount = step_.amount(order_);
      order_[kStatus] = left < amount ? step_.refused : step_.taken;
      if (left >= amount) store_->put(record.key, left - amount);
    }
    context().forward(order_);
  }

 private:
  const Step& step_;
  KeyValueStore<Id, std::int64_t>* store_ = nullptr;
  Blob order_;
};

struct TakerSupplier {
  const Step& step;
  bool caching;
  std::unique_ptr<Taker> operator()() const { return std::make_unique<Taker>(step); }
  std::vector<std::shared_ptr<StoreBuilder>> stores() const {
    return {key_value_store_builder<Id, std::int64_t>(step.store,
                                                      {.caching = caching, .timestamps = false})};
  }
};

/// Keeps the order's final state; a second copy of an order is dropped.
class Completer final : public FixedKeyProcessor<Id, Blob> {
 public:
  explicit Completer(Progress& progress) : progress_(progress) {}
  void init(FixedKeyProcessorContext<Id, Blob>& context) override {
    FixedKeyProcessor::init(context);
    store_ = &context.key_value_store<Id, Blob>("orders");
  }
  void process(const RecordRef<Id, Blob>& record) override {
    if (!store_->get(record.key)) {
      order_ = record.value;
      order_.at(kStatus) = order_.at(kStatus) == kPaid ? kCompleted : kRejected;
      store_->put(record.key, order_);
      context().forward(order_);
    }
    progress_.done.add();
  }

 private:
  Progress& progress_;
  KeyValueStore<Id, Blob>* store_ = nullptr;
  Blob order_;
};

struct CompleterSupplier {
  Progress& progress;
  bool caching;
  std::unique_ptr<Completer> operator()() const { return std::make_unique<Completer>(progress); }
  std::vector<std::shared_ptr<StoreBuilder>> stores() const {
    return {key_value_store_builder<Id, Blob>("orders", {.caching = caching, .timestamps = false})};
  }
};

}  // namespace

void saga(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  const bool caching = settings.tuned();
  builder.stream<Id, Blob>(settings.inputs.at(0))
      .peek([&progress](const Id&, const Blob&) { progress.count_in(); })
      .select_key([](const Id&, const Blob& order) -> Id { return read_i32(order, kProduct); })
      .repartition({.name = "stock"})
      .process_values(TakerSupplier{kStock, caching})
      .select_key([](const Id&, const Blob& order) -> Id { return read_i32(order, kUser); })
      .repartition({.name = "payment"})
      .process_values(TakerSupplier{kPayment, caching})
      .select_key([](const Id&, const Blob& order) -> Id { return read_i64(order, kOrder); })
      .repartition({.name = "completion"})
      .process_values(CompleterSupplier{progress, caching})
      .to(settings.output);
}

}  // namespace thalweg::bench
