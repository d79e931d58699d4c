#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <thalweg/state/change_buffer.h>
#include <thalweg/state/internal/typed_key_value_store.h>

namespace thalweg {

/// Records of a stream that wait for their time: what a stream-table join with a grace period
/// keeps. Any number of records may have the same key and time.
///
/// Time is the buffer's own: the latest that was ever put. The order in which records come out, by
/// time and then by key, and what is on the changelog, are Kafka Streams'.
class RecordBuffer final : public StateStore {
 public:
  using Origin = ChangeBuffer::Origin;
  struct Held {
    std::string key;
    std::string value;
    Origin origin;
  };

  explicit RecordBuffer(std::string name);

  void put(BytesView key, BytesView value, Origin origin);
  std::size_t records();
  /// The latest time put; kNoTimestamp before the first.
  Timestamp stream_time() const;
  /// The earliest time in it; kEndOfTime when it is empty.
  Timestamp min_time();
  /// The record of the earliest time, and of those the one with the first key. There must be one.
  Held first();
  void remove_first();

  const std::string& name() const override { return entries_.name(); }
  Kind kind() const override { return Kind::kBuffer; }
  SchemaPtr key_schema() const override { return entries_.key_schema(); }
  SchemaPtr value_schema() const override { return entries_.value_schema(); }
  bool persistent() const override { return entries_.persistent(); }
  Status open(const StoreContext& context) override { return entries_.open(context); }
  bool flush() override { return entries_.flush(); }
  void commit(Offset changelog_end, CommitSequence commit) override {
    entries_.commit(changelog_end, commit);
  }
  void abort() override;
  std::size_t uncommitted_bytes() const override { return entries_.uncommitted_bytes(); }
  Offset restored_to() const override { return entries_.restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override;
  Status discard() override;
  std::size_t unspilled_bytes() const override { return entries_.unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override {
    return entries_.start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const override { return entries_.view(); }

 private:
  /// Makes places_ what the table says, if it may not be.
  void load();
  void forget();
  std::int32_t next_number();

  internal::TypedKeyValueStore<std::string, std::string> entries_;
  std::set<std::string> places_;  // The keys of entries_, in order.
  bool is_loaded_ = false;
  internal::StoreMarks restored_;  // As the changelog tells.
};

/// Makes buffers of records.
std::shared_ptr<StoreBuilder> record_buffer_builder(std::string name);

}  // namespace thalweg
