// Spills that wait while their store goes and comes again.

#include "spiller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/simulated_storage.h>
#include <thalweg/state/stores.h>

#include "state/store_world.h"

namespace thalweg::internal {
namespace {

using Counts = KeyValueStore<std::string, std::int64_t>;

class EverythingDurable final : public Durability {
 public:
  CommitSequence durable() const override { return 1'000; }
  CommitSequence visible() const override { return 1'000; }
  void when_durable(CommitSequence, std::function<void()> done) override { done(); }
};

class Spills : public ::testing::Test {
 protected:
  /// As a task does that takes the store over: with all that the changelog has.
  void open() {
    StoreContext context;
    context.storage = &disk_;
    context.family = "app/0_0/counts";
    context.changelog = &changelog_;
    context.identity.cluster_id = "cluster";
    context.identity.changelog = "app-counts-changelog";
    context.record_time = [] { return from_millis(1); };
    store_ = builder_->build();
    const auto opened = store_->open(context);
    ASSERT_TRUE(opened) << opened.error().message;
    store_->restore(changelog_.read(store_->restored_to()), changelog_.end(), commits_);
  }
  Counts& counts() { return dynamic_cast<Counts&>(*store_); }
  void commit() {
    store_->flush();
    store_->commit(changelog_.commit(), ++commits_);
  }

  EverythingDurable durability_;
  Spiller spiller_{durability_};
  SimulatedStorage disk_;
  test::Changelog changelog_;
  CommitSequence commits_ = 0;
  const std::shared_ptr<StoreBuilder> builder_ =
      key_value_store_builder<std::string, std::int64_t>("counts");
  std::unique_ptr<StateStore> store_;
};

// The spill held its store open, and wrote a row below the one that had been opened since and knew
// that it was deleted: the row was there again.
TEST_F(Spills, OfAStoreThatHasGoneWriteNothingBelowItsSuccessor) {
  open();
  counts().put("k", 1);
  commit();
  spiller_.submit(store_->start_spill(from_millis(1)), {});
  counts().remove("k");
  commit();
  store_.reset();

  open();
  EXPECT_TRUE(spiller_.run_once());
  if (const auto spill = store_->start_spill(from_millis(2))) {
    EXPECT_TRUE(spill->run());
  }

  EXPECT_EQ(counts().get("k"), nullptr);
}

}  // namespace
}  // namespace thalweg::internal
