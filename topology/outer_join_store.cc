#include <thalweg/topology/internal/outer_join_store.h>

#include <thalweg/topology/internal/join_time_tracker.h>

namespace thalweg::internal {
namespace {

constexpr char kVariableSize = '\1';
constexpr std::size_t kNumber = sizeof(std::int32_t);

std::int32_t take_number(BytesView& bytes) {
  if (bytes.size() < kNumber) throw SerdeError("a list ends within a number");
  std::int32_t number = 0;
  Serde<std::int32_t>::deserialize(bytes.substr(0, kNumber), number);
  bytes.remove_prefix(kNumber);
  return number;
}

}  // namespace

void ListBytes::begin(std::size_t count, std::string& out) {
  out += kVariableSize;
  Serde<std::int32_t>::serialize(static_cast<std::int32_t>(count), out);
}

void ListBytes::insert_size(std::string& out, std::size_t at) {
  std::string size;
  Serde<std::int32_t>::serialize(static_cast<std::int32_t>(out.size() - at), size);
  out.insert(at, size);
}

std::vector<BytesView> ListBytes::parse(BytesView bytes) {
  if (bytes.empty() || bytes.front() != kVariableSize) {
    throw SerdeError("a list does not say that its entries have a size each");
  }
  bytes.remove_prefix(1);
  std::vector<BytesView> entries;
  for (std::int32_t count = take_number(bytes); count > 0; --count) {
    const std::int32_t size = take_number(bytes);
    if (size < 0 || static_cast<std::size_t>(size) > bytes.size()) {
      throw SerdeError("an entry of a list does not fit");
    }
    entries.push_back(bytes.substr(0, static_cast<std::size_t>(size)));
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return entries;
}

std::shared_ptr<JoinTimeTracker> JoinTimeTrackers::of(const TaskContext& task) {
  const std::lock_guard lock(mutex_);
  std::erase_if(trackers_, [](const auto& entry) { return entry.second.expired(); });
  if (const auto known = trackers_.find(&task); known != trackers_.end()) {
    if (auto tracker = known->second.lock()) return tracker;
  }
  auto tracker = std::make_shared<JoinTimeTracker>();
  trackers_[&task] = tracker;
  return tracker;
}

}  // namespace thalweg::internal
