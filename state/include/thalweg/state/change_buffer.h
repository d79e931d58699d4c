#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <thalweg/state/internal/layered_table.h>
#include <thalweg/state/internal/memory_meter.h>
#include <thalweg/state/internal/write_log.h>

namespace thalweg {

/// Changes of a table that are held back, by time: what suppress() keeps. A key has at most one
/// change in it; a newer one takes its place and keeps its time.
///
/// All of it is in memory as the task sees it; what is committed is also in a table, so that it can
/// be spilled, restored and, after an abort, built anew. On the changelog a change is what Kafka
/// Streams writes there (version 3, as the header `v` tells): the record it came with, the value
/// before the first change held back, the change's old and new value, the time.
class ChangeBuffer final : public StateStore {
 public:
  /// The record that a change came with.
  struct Origin {
    Timestamp timestamp = kNoTimestamp;
    Offset offset = kNoOffset;
    std::string topic = {};
    std::int32_t partition = -1;
    Headers headers = {};
  };
  struct Change {
    std::optional<std::string> prior = {};  ///< What the table showed when the key came in.
    std::optional<std::string> old_value = {};
    std::optional<std::string> new_value = {};
    Origin origin = {};
  };

  ChangeBuffer(std::string name, SchemaPtr key_schema, SchemaPtr value_schema)
      : name_(std::move(name)),
        key_schema_(std::move(key_schema)),
        value_schema_(std::move(value_schema)) {}
  ~ChangeBuffer() override;

  /// Holds a change back until `time`, if its key is not in the buffer already.
  void put(Timestamp time, BytesView key, std::optional<BytesView> old_value,
           std::optional<BytesView> new_value, Origin origin);
  std::size_t records();
  /// Kafka Streams' estimate of the memory it takes, by which its size is limited.
  std::size_t bytes();
  /// The earliest time in it; kEndOfTime when it is empty.
  Timestamp min_time();
  /// The change of the earliest time, and of those the first key; until the buffer changes.
  /// There must be one.
  std::pair<const std::string&, const Change&> first();
  /// Takes it out.
  void remove_first();
  /// The change of `key`, or null.
  const Change* find(BytesView key);

  const std::string& name() const override { return name_; }
  Kind kind() const override { return Kind::kBuffer; }
  SchemaPtr key_schema() const override { return key_schema_; }
  SchemaPtr value_schema() const override { return value_schema_; }
  bool persistent() const override { return table_ && table_->persistent(); }
  Status open(const StoreContext& context) override;
  bool flush() override;
  void commit(Offset changelog_end, CommitSequence commit) override;
  void abort() override;
  std::size_t uncommitted_bytes() const override { return uncommitted_bytes_ + log_.bytes(); }
  Offset restored_to() const override { return table_->restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override;
  Status discard() override;
  std::size_t unspilled_bytes() const override { return table_->unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override {
    return table_->start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const override { return table_; }

 private:
  using Place = std::pair<Timestamp, std::string>;  // Time and key.

  /// Makes changes_ what the table says, if it may not be.
  void load();
  void forget();
  void touch(const std::string& key);
  void order_dirty();
  static std::size_t size_of(BytesView key, const Change& change);

  const std::string name_;
  const SchemaPtr key_schema_;
  const SchemaPtr value_schema_;
  std::shared_ptr<internal::LayeredTable> table_;  // Shared with views and spills.
  ChangelogWriter* changelog_ = nullptr;

  std::map<Place, Change> changes_;
  boost::unordered_flat_map<std::string, Timestamp> times_;  // Of each key.
  std::size_t bytes_ = 0;
  bool is_loaded_ = false;

  std::vector<std::string> dirty_;  // Keys changed since the last flush, each once.
  boost::unordered_flat_set<std::string> dirty_keys_;
  std::size_t dirty_capacity_ = 16;  // Of Java's hash set of them, which never shrinks.
  boost::unordered_flat_map<std::string, std::uint32_t> writes_;  // Of the open transaction.
  internal::WriteLog log_;
  std::size_t uncommitted_bytes_ = 0;
  internal::MemoryMeter memory_;
};

/// Makes buffers of changes whose keys and values have those schemas.
std::shared_ptr<StoreBuilder> change_buffer_builder(
    std::string name, bool logging,
    std::vector<std::pair<std::string, std::string>> changelog_config, SchemaPtr key_schema,
    SchemaPtr value_schema);

}  // namespace thalweg
