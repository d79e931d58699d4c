#include <thalweg/state/record_buffer.h>

#include <algorithm>
#include <utility>

#include <thalweg/schemas/check.h>
#include <thalweg/state/internal/typed_store_builder.h>

#include "big_endian.h"
#include "buffered_change.h"

namespace thalweg {
namespace {

using internal::append_big_endian;
using internal::read_big_endian;

// A place: u8 0 | i64 time | key | i32 number, integers in network order.
constexpr std::size_t kBeforeKey = 1 + sizeof(std::int64_t);
constexpr std::size_t kBehindKey = sizeof(std::int32_t);

std::string place_of(Timestamp time, BytesView key, std::int32_t number) {
  std::string place;
  place.reserve(kBeforeKey + key.size() + kBehindKey);
  place += '\0';
  append_big_endian(to_millis(time), place);
  place += key;
  append_big_endian(number, place);
  return place;
}

void check_place(BytesView place) {
  if (place.size() >= kBeforeKey + kBehindKey) return;
  throw SerdeError("a record that waits has a key of " + std::to_string(place.size()) + " bytes");
}
Timestamp time_of(BytesView place) {
  return from_millis(read_big_endian<std::int64_t>(place.substr(1)));
}
std::int32_t number_of(BytesView place) {
  return read_big_endian<std::int32_t>(place.substr(place.size() - kBehindKey));
}

}  // namespace

RecordBuffer::RecordBuffer(std::string name)
    : entries_(std::move(name), true, false, {}, {}, {}, false) {}

void RecordBuffer::put(BytesView key, BytesView value, Origin origin) {
  load();
  const std::int32_t number = next_number();
  auto& marks = entries_.marks();
  marks = {.stream_time = std::max(stream_time(), origin.timestamp), .sequence = number};
  std::string place = place_of(origin.timestamp, key, number);
  std::string bytes;
  internal::encode_change({.new_value = std::string(value), .origin = std::move(origin)},
                          from_millis(0), bytes);
  entries_.put(place, std::move(bytes), kNoTimestamp, kNoHeaders);
  places_.insert(std::move(place));
}

std::int32_t RecordBuffer::next_number() {
  const std::int32_t last = std::max(entries_.marks().sequence, restored_.sequence);
  if (last != std::numeric_limits<std::int32_t>::max()) return last + 1;
  restored_.sequence = 0;
  return 0;
}

std::size_t RecordBuffer::records() {
  load();
  return places_.size();
}

Timestamp RecordBuffer::stream_time() const {
  return std::max(entries_.marks().stream_time, restored_.stream_time);
}

Timestamp RecordBuffer::min_time() {
  load();
  return places_.empty() ? kEndOfTime : time_of(*places_.begin());
}

RecordBuffer::Held RecordBuffer::first() {
  load();
  THALWEG_CHECK(!places_.empty(), "store " + name() + " is empty");
  const std::string& place = *places_.begin();
  const std::string* bytes = entries_.get(place);
  THALWEG_CHECK(bytes, "store " + name() + " has lost a record");
  auto change = internal::decode_change(*bytes).second;
  const BytesView key = BytesView(place).substr(kBeforeKey);
  return {.key = std::string(key.substr(0, key.size() - kBehindKey)),
          .value = std::move(change.new_value).value_or(""),
          .origin = std::move(change.origin)};
}

void RecordBuffer::remove_first() {
  load();
  THALWEG_CHECK(!places_.empty(), "store " + name() + " is empty");
  entries_.remove(*places_.begin(), kNoTimestamp, kNoHeaders);
  places_.erase(places_.begin());
}

void RecordBuffer::abort() {
  entries_.abort();
  forget();
}

void RecordBuffer::restore(std::span<const RecordView> records, Offset next,
                           CommitSequence commit) {
  for (const RecordView& record : records) {
    if (!record.key) continue;
    check_place(*record.key);
    restored_.stream_time = std::max(restored_.stream_time, time_of(*record.key));
    restored_.sequence = number_of(*record.key);
  }
  entries_.restore(records, next, commit);
  forget();
}

Status RecordBuffer::discard() {
  restored_ = {};
  forget();
  return entries_.discard();
}

void RecordBuffer::forget() {
  places_.clear();
  is_loaded_ = false;
}

void RecordBuffer::load() {
  if (std::exchange(is_loaded_, true)) return;
  constexpr std::size_t kChunk = 1000;
  StoreView::Scan scan{.limit = kChunk};
  while (true) {
    auto chunk = entries_.view()->scan(scan);
    if (!chunk) throw StoreError(chunk.error());
    for (StoredEntry& entry : *chunk) {
      check_place(entry.key);
      places_.insert(places_.end(), std::move(entry.key));
    }
    if (chunk->size() < kChunk) return;
    scan.from = *places_.rbegin() + '\0';
  }
}

std::shared_ptr<StoreBuilder> record_buffer_builder(std::string name) {
  auto make = [name] { return std::make_unique<RecordBuffer>(name); };
  return std::make_shared<internal::TypedStoreBuilder>(std::move(name), StoreOptions{},
                                                       std::move(make));
}

}  // namespace thalweg
