#include <algorithm>

#include <thalweg/schemas/check.h>
#include <thalweg/schemas/java_hash.h>
#include <thalweg/state/change_buffer.h>
#include <thalweg/state/stores.h>
#include <thalweg/state/windowed.h>

#include "buffered_change.h"

namespace thalweg {
namespace {

constexpr std::size_t kChunk = 1024;
// A node of the map, its two strings' share, a slot of the index.
constexpr std::size_t kOverhead = 200;

const Headers& version() {
  static const Headers headers{{"v", std::string(1, '\x03')}};
  return headers;
}

std::size_t size_of(const std::optional<std::string>& value) { return value ? value->size() : 0; }

class ChangeBufferBuilder final : public StoreBuilder {
 public:
  ChangeBufferBuilder(std::string name, bool logging,
                      std::vector<std::pair<std::string, std::string>> changelog_config,
                      SchemaPtr key_schema, SchemaPtr value_schema)
      : name_(std::move(name)),
        logging_(logging),
        changelog_config_(std::move(changelog_config)),
        key_schema_(std::move(key_schema)),
        value_schema_(std::move(value_schema)) {}

  const std::string& name() const override { return name_; }
  bool logging() const override { return logging_; }
  bool caching() const override { return false; }
  const std::vector<std::pair<std::string, std::string>>& changelog_config() const override {
    return changelog_config_;
  }
  std::unique_ptr<StateStore> build() const override {
    return std::make_unique<ChangeBuffer>(name_, key_schema_, value_schema_);
  }

 private:
  const std::string name_;
  const bool logging_;
  const std::vector<std::pair<std::string, std::string>> changelog_config_;
  const SchemaPtr key_schema_;
  const SchemaPtr value_schema_;
};

}  // namespace

ChangeBuffer::~ChangeBuffer() {
  if (table_) table_->close();
  forget();
}

Status ChangeBuffer::open(const StoreContext& context) {
  auto table = internal::LayeredTable::open(context);
  if (!table) return std::unexpected(table.error());
  table_ = std::move(*table);
  changelog_ = context.changelog;
  memory_.report_to(context.budget);
  return {};
}

// --- The task's side ------------------------------------------------------------------------

void ChangeBuffer::put(Timestamp time, BytesView key, std::optional<BytesView> old_value,
                       std::optional<BytesView> new_value, Origin origin) {
  load();
  Change change{.prior = {}, .old_value = {}, .new_value = {}, .origin = std::move(origin)};
  if (old_value) change.old_value.emplace(*old_value);
  if (new_value) change.new_value.emplace(*new_value);
  const auto [known, is_new] = times_.try_emplace(std::string(key), time);
  Change& held = changes_[{known->second, known->first}];
  if (is_new) {
    change.prior = change.old_value;
  } else {
    change.prior = held.prior;
    bytes_ -= size_of(key, held);
    memory_.add(-static_cast<std::int64_t>(size_of(key, held) + kOverhead));
  }
  held = std::move(change);
  const std::size_t size = size_of(key, held);
  bytes_ += size;
  uncommitted_bytes_ += size;
  memory_.add(static_cast<std::int64_t>(size + kOverhead));
  memory_.report_if_much();
  touch(known->first);
}

std::size_t ChangeBuffer::records() {
  load();
  return changes_.size();
}

std::size_t ChangeBuffer::bytes() {
  load();
  return bytes_;
}

Timestamp ChangeBuffer::min_time() {
  load();
  return changes_.empty() ? kEndOfTime : changes_.begin()->first.first;
}

std::pair<const std::string&, const ChangeBuffer::Change&> ChangeBuffer::first() {
  load();
  THALWEG_CHECK(!changes_.empty(), "store " + name_ + " has no change to take out");
  const auto& [place, change] = *changes_.begin();
  return {place.second, change};
}

void ChangeBuffer::remove_first() {
  load();
  THALWEG_CHECK(!changes_.empty(), "store " + name_ + " has no change to take out");
  const auto taken = changes_.extract(changes_.begin());
  const std::string& key = taken.key().second;
  const std::size_t size = size_of(key, taken.mapped());
  bytes_ -= size;
  memory_.add(-static_cast<std::int64_t>(size + kOverhead));
  times_.erase(key);
  touch(key);
}

const ChangeBuffer::Change* ChangeBuffer::find(BytesView key) {
  load();
  const auto time = times_.find(std::string(key));
  if (time == times_.end()) return nullptr;
  return &changes_.find({time->second, time->first})->second;
}

std::size_t ChangeBuffer::size_of(BytesView key, const Change& change) {
  std::size_t size = 8 + key.size();  // The time and the key.
  size += thalweg::size_of(change.prior) + thalweg::size_of(change.new_value);
  if (change.old_value != change.prior) size += thalweg::size_of(change.old_value);
  size += 8 + 8 + change.origin.topic.size() + 4;  // Timestamp, offset, topic, partition.
  for (const Header& header : change.origin.headers) {
    size += header.key.size() + thalweg::size_of(header.value);
  }
  return size;
}

void ChangeBuffer::touch(const std::string& key) {
  if (dirty_keys_.insert(key).second) dirty_.push_back(key);
}

// --- The open transaction -------------------------------------------------------------------

/// What was touched is logged in the order of a Java hash set, as Kafka Streams does.
void ChangeBuffer::order_dirty() {
  dirty_capacity_ = internal::java_hash_capacity(dirty_.size(), dirty_capacity_);
  std::vector<std::pair<std::size_t, std::string>> placed;
  placed.reserve(dirty_.size());
  for (std::string& key : dirty_) {
    const auto hash = internal::java_bytes_hash(key);
    placed.emplace_back(internal::java_hash_place(hash, dirty_capacity_), std::move(key));
  }
  std::ranges::stable_sort(placed, {}, &std::pair<std::size_t, std::string>::first);
  std::ranges::transform(placed, dirty_.begin(),
                         [](auto& entry) { return std::move(entry.second); });
}

bool ChangeBuffer::flush() {
  if (dirty_.size() > 1) order_dirty();
  for (const std::string& key : dirty_) {
    std::string& arena = log_.arena();
    const std::size_t at = arena.size();
    arena += key;
    const auto time = times_.find(key);
    const bool is_held = time != times_.end();
    if (is_held) {
      internal::encode_change(changes_.find({time->second, key})->second, time->second, arena);
    }
    auto& write = writes_.try_emplace(key, internal::WriteLog::kNone).first->second;
    write = log_.add(at, key.size(), is_held, kNoTimestamp, write);
    if (!changelog_) continue;
    changelog_->append(log_.key(write), log_.value(write), kNoTimestamp,
                       is_held ? version() : kNoHeaders);
  }
  dirty_.clear();
  dirty_keys_.clear();
  return false;
}

void ChangeBuffer::commit(Offset changelog_end, CommitSequence commit) {
  THALWEG_CHECK(dirty_.empty(), "store " + name_ + " committed without flush");
  table_->commit(log_.live(), {}, changelog_end, commit);
  log_.clear();
  writes_.clear();
  uncommitted_bytes_ = 0;
  memory_.report();
}

void ChangeBuffer::abort() { forget(); }

void ChangeBuffer::restore(std::span<const RecordView> records, Offset next,
                           CommitSequence commit) {
  forget();
  table_->restore(records, next, commit);
}

Status ChangeBuffer::discard() {
  forget();
  return table_->discard();
}

void ChangeBuffer::forget() {
  memory_.add(-static_cast<std::int64_t>(bytes_ + changes_.size() * kOverhead));
  changes_.clear();
  times_.clear();
  bytes_ = 0;
  is_loaded_ = false;
  dirty_capacity_ = 16;
  dirty_.clear();
  dirty_keys_.clear();
  writes_.clear();
  log_.clear();
  uncommitted_bytes_ = 0;
  memory_.report();
}

void ChangeBuffer::load() {
  if (is_loaded_) return;
  is_loaded_ = true;
  StoreView::Scan scan;
  scan.limit = kChunk;
  std::vector<StoredEntry> chunk;
  do {
    table_->read_chunk(scan, chunk);
    for (StoredEntry& entry : chunk) {
      try {
        auto [time, change] = internal::decode_change(entry.value);
        bytes_ += size_of(entry.key, change);
        times_.emplace(entry.key, time);
        changes_.emplace(Place(time, entry.key), std::move(change));
      } catch (const SerdeError& error) {
        throw SerdeError("store " + name_ + ": " + error.what());
      }
    }
    if (!chunk.empty()) scan.from = chunk.back().key + '\0';
  } while (chunk.size() == kChunk);
  memory_.add(static_cast<std::int64_t>(bytes_ + changes_.size() * kOverhead));
  memory_.report();
}

std::shared_ptr<StoreBuilder> change_buffer_builder(
    std::string name, bool logging,
    std::vector<std::pair<std::string, std::string>> changelog_config, SchemaPtr key_schema,
    SchemaPtr value_schema) {
  return std::make_shared<ChangeBufferBuilder>(std::move(name), logging,
                                               std::move(changelog_config), std::move(key_schema),
                                               std::move(value_schema));
}

}  // namespace thalweg
