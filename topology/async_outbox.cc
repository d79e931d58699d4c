#include <thalweg/topology/internal/async_outbox.h>

#include <algorithm>

#include <thalweg/schemas/check.h>
#include <thalweg/state/stores.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/internal/map_async_dsl.h>

namespace thalweg {

std::function<void()> TaskContext::add_async_work(internal::AsyncWork&) {
  throw StreamsError("map_async() runs in tasks only");
}

namespace internal {

namespace {

// A row: format, flags, attempt, due and own time, then key, value and headers, each behind its
// size; big-endian.
constexpr char kFormat = 1;
constexpr unsigned kUnderWay = 1;
constexpr unsigned kHasKey = 2;
constexpr unsigned kHasValue = 4;

// Under which the store keeps the next number; records have numbers from 0 on.
constexpr std::int64_t kNextNumber = -1;

void append_sized(BytesView bytes, std::string& out) {
  append_big_endian<std::uint32_t>(static_cast<std::uint32_t>(bytes.size()), out);
  out.append(bytes);
}

template <typename Unsigned, typename T>
T take_number(BytesView& bytes) {
  T value{};
  read_big_endian<Unsigned>(bytes.substr(0, sizeof(T)), value, "outbox row");
  bytes.remove_prefix(sizeof(T));
  return value;
}

std::string take_sized(BytesView& bytes) {
  const auto size = take_number<std::uint32_t, std::uint32_t>(bytes);
  if (size > bytes.size()) throw SerdeError("an outbox row ends in the middle");
  std::string taken(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return taken;
}

// Records of one key share a lane; one without a key has a lane of its own.
std::string lane_of(const AsyncRow& row, std::int64_t number) {
  return row.key ? 'k' + *row.key : 'n' + std::to_string(number);
}

// Of [0, 1): spread evenly, and the same each time.
double fraction_of(std::int64_t number, std::int32_t attempt) {
  auto bits = static_cast<std::uint64_t>(number) * 31 + static_cast<std::uint64_t>(attempt);
  bits += 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  bits ^= bits >> 31;
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace

void AsyncRow::encode(std::string& out) const {
  out.push_back(kFormat);
  out.push_back(static_cast<char>((under_way ? kUnderWay : 0) | (key ? kHasKey : 0) |
                                  (value ? kHasValue : 0)));
  append_big_endian<std::uint32_t>(attempt, out);
  append_big_endian<std::uint64_t>(to_millis(due), out);
  append_big_endian<std::uint64_t>(to_millis(timestamp), out);
  append_sized(key.value_or(""), out);
  append_sized(value.value_or(""), out);
  append_sized(headers, out);
}

AsyncRow AsyncRow::decode(BytesView bytes) {
  if (bytes.size() < 2 || bytes[0] != kFormat) {
    throw SerdeError("an outbox row is not of format " + std::to_string(kFormat));
  }
  const auto flags = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  AsyncRow row;
  row.under_way = (flags & kUnderWay) != 0;
  row.attempt = take_number<std::uint32_t, std::int32_t>(bytes);
  row.due = from_millis(take_number<std::uint64_t, std::int64_t>(bytes));
  row.timestamp = from_millis(take_number<std::uint64_t, std::int64_t>(bytes));
  if (std::string key = take_sized(bytes); flags & kHasKey) row.key = std::move(key);
  if (std::string value = take_sized(bytes); flags & kHasValue) row.value = std::move(value);
  row.headers = take_sized(bytes);
  return row;
}

std::shared_ptr<StoreBuilder> AsyncOutbox::store_builder(const std::string& name) {
  return key_value_store_builder<std::int64_t, Bytes>(name, {.caching = true});
}

void AsyncOutbox::open(Store& store) {
  store_ = &store;
  if (const Bytes* next = store_->get(kNextNumber)) {
    BytesView bytes = next->data;
    next_number_ = take_number<std::uint64_t, std::int64_t>(bytes);
  }
  for (auto rows = store_->range(0, std::nullopt); rows->valid(); rows->next()) {
    const std::int64_t number = rows->key();
    if (number < 0) break;  // As bytes, negative numbers come behind.
    const AsyncRow row = AsyncRow::decode(rows->value().value.data);
    enqueue(number, lane_of(row, number), row.under_way ? kNoTimestamp : row.due);
  }
}

void AsyncOutbox::enqueue(std::int64_t number, std::string lane, Timestamp due) {
  auto& waiting = lanes_[lane];
  waiting.push_back({number, due});
  if (waiting.size() == 1) ready_.emplace(std::pair(due, number), std::move(lane));
}

void AsyncOutbox::write(std::int64_t number, const AsyncRow& row) {
  Bytes bytes;
  row.encode(bytes.data);
  store_->put(number, std::move(bytes), row.timestamp, kNoHeaders);
}

void AsyncOutbox::add(AsyncRow row, Timestamp now) {
  const std::int64_t number = next_number_++;
  Bytes next;
  append_big_endian<std::uint64_t>(next_number_, next.data);
  store_->put(kNextNumber, std::move(next), row.timestamp, kNoHeaders);
  row.due = now;
  write(number, row);
  enqueue(number, lane_of(row, number), now);
}

std::optional<AsyncOutbox::Begun> AsyncOutbox::begin_next(Timestamp now) {
  if (ready_.empty() || flights_.size() >= options_.max_in_flight) return std::nullopt;
  const auto first = ready_.begin();
  const auto [due, number] = first->first;
  if (due > now) return std::nullopt;
  Begun begun{.number = number, .row = row(number), .again = false};
  begun.again = begun.row.under_way;
  if (!begun.again) {
    begun.row.under_way = true;
    ++begun.row.attempt;
    write(number, begun.row);
  }
  flights_.emplace(number, Flight{.attempt = begun.row.attempt, .lane = std::move(first->second)});
  ++calls_to_start_;
  ready_.erase(first);
  return begun;
}

void AsyncOutbox::committed(CommitSequence commit) {
  if (calls_to_start_ == 0) return;
  for (auto& [number, flight] : flights_) {
    if (!flight.commit) flight.commit = commit;
  }
}

std::vector<AsyncOutbox::Start> AsyncOutbox::start_calls(CommitSequence durable, Timestamp now) {
  std::vector<Start> starts;
  if (calls_to_start_ == 0) return starts;
  for (auto& [number, flight] : flights_) {
    if (flight.started || !flight.commit || *flight.commit > durable) continue;
    flight.started = true;
    flight.deadline = now + options_.timeout;
    --calls_to_start_;
    starts.push_back({number, row(number), flight.stop.get_token()});
  }
  return starts;
}

bool AsyncOutbox::waits_for(std::int64_t number, std::int32_t attempt) const {
  const auto found = flights_.find(number);
  return found != flights_.end() && found->second.started && found->second.attempt == attempt;
}

std::vector<std::int64_t> AsyncOutbox::overdue(Timestamp now) const {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, flight] : flights_) {
    if (flight.started && flight.deadline <= now) numbers.push_back(number);
  }
  return numbers;
}

AsyncRow AsyncOutbox::row(std::int64_t number) {
  const Bytes* bytes = store_->get(number);
  THALWEG_CHECK(bytes, "a record that waits is not in the outbox");
  return AsyncRow::decode(bytes->data);
}

// The next of its key may go on, when it is due.
void AsyncOutbox::leave_lane(std::int64_t number) {
  const auto flight = flights_.find(number);
  const auto lane = lanes_.find(flight->second.lane);
  lane->second.pop_front();
  if (lane->second.empty()) {
    lanes_.erase(lane);
  } else {
    const Waiting& next = lane->second.front();
    ready_.emplace(std::pair(next.due, next.number), lane->first);
  }
  flight->second.stop.request_stop();
  flights_.erase(flight);
}

void AsyncOutbox::finish(std::int64_t number, Timestamp now) {
  store_->remove(number, now, kNoHeaders);
  leave_lane(number);
}

std::optional<Timestamp> AsyncOutbox::fail(std::int64_t number, AsyncRow row, Timestamp now) {
  const auto failed = static_cast<std::size_t>(row.attempt);
  if (failed > options_.retry_after.size()) {
    finish(number, now);
    return std::nullopt;
  }
  row.under_way = false;
  row.due = now + pause_after(number, row.attempt);
  write(number, row);
  const auto flight = flights_.find(number);
  flight->second.stop.request_stop();
  lanes_.at(flight->second.lane).front().due = row.due;
  ready_.emplace(std::pair(row.due, number), std::move(flight->second.lane));
  flights_.erase(flight);
  return row.due;
}

std::chrono::milliseconds AsyncOutbox::pause_after(std::int64_t number,
                                                   std::int32_t attempt) const {
  const auto pause = options_.retry_after[static_cast<std::size_t>(attempt - 1)];
  const double more =
      static_cast<double>(pause.count()) * options_.jitter * fraction_of(number, attempt);
  return pause + std::chrono::milliseconds(static_cast<std::int64_t>(more));
}

std::optional<Timestamp> AsyncOutbox::next_deadline(bool begin_more) const {
  std::optional<Timestamp> next;
  const auto consider = [&next](Timestamp time) {
    if (!next || time < *next) next = time;
  };
  for (const auto& [number, flight] : flights_) {
    if (flight.started) consider(flight.deadline);
  }
  if (begin_more && !ready_.empty() && flights_.size() < options_.max_in_flight) {
    consider(ready_.begin()->first.first);
  }
  return next;
}

void AsyncOutbox::abandon() {
  for (auto& [number, flight] : flights_) flight.stop.request_stop();
}

AsyncOutbox::Store& async_outbox_store(TaskContext& context, const std::string& name,
                                       const std::string& node) {
  auto* store = dynamic_cast<AsyncOutbox::Store*>(&context.store(name));
  if (!store) throw TopologyError("store " + name + " is not the outbox of " + node);
  return *store;
}

void check_async_options(const std::string& node, const AsyncOptions& options) {
  using std::chrono::milliseconds;
  check_name(options.store);
  if (options.max_in_flight == 0) {
    throw TopologyError(node + " may have no call under way: max_in_flight is 0");
  }
  if (options.timeout <= milliseconds(0)) {
    throw TopologyError(node + " needs a timeout above 0 ms for its calls");
  }
  if (std::ranges::any_of(options.retry_after,
                          [](auto pause) { return pause < milliseconds(0); })) {
    throw TopologyError(node + " has a pause below 0 ms between its attempts");
  }
  if (!(options.jitter >= 0)) throw TopologyError(node + " has a negative jitter");
}

}  // namespace internal
}  // namespace thalweg
