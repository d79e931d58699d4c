#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <thalweg/state/simulated_storage.h>

namespace thalweg {

using Map = std::map<std::string, std::string, std::less<>>;

namespace {

/// A map that cursors may hold on to: it is copied when it changes under one.
class SharedMap {
 public:
  std::shared_ptr<const Map> snapshot() const { return map_; }
  const Map& read() const { return *map_; }
  Map& write() {
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
    return *map_;
  }
  void replace(Map map) { map_ = std::make_shared<Map>(std::move(map)); }

 private:
  std::shared_ptr<Map> map_ = std::make_shared<Map>();
};

void apply_batch(const WriteBatch& batch, Map& map) {
  for (const auto& operation : batch.operations()) {
    switch (operation.kind) {
      case WriteBatch::Operation::Kind::kPut:
        map.insert_or_assign(operation.key, operation.value);
        break;
      case WriteBatch::Operation::Kind::kRemove:
        map.erase(operation.key);
        break;
      case WriteBatch::Operation::Kind::kRemoveRange:
        if (operation.key < operation.value) {
          map.erase(map.lower_bound(operation.key), map.lower_bound(operation.value));
        }
        break;
    }
  }
}

struct FamilyFiles {
  SharedMap entries;
  std::optional<std::string> checkpoint;
  bool damaged = false;
  std::uint64_t made = 0;  // Tells a family from one of the same name that was dropped before.
};

std::unexpected<Error> dead_process() {
  return failure(ErrorCode::kUnavailable, "simulated storage: this handle's process has crashed");
}

/// Walks [from, to) of a snapshot.
class SnapshotCursor final : public StorageCursor {
 public:
  SnapshotCursor(std::shared_ptr<const Map> map, BytesView from, std::optional<BytesView> to,
                 Status status)
      : map_(std::move(map)),
        first_(map_->lower_bound(from)),
        last_(to ? map_->lower_bound(*to) : map_->end()),
        status_(std::move(status)) {
    if (to && *to < from) last_ = first_;
    at_ = status_ ? first_ : last_;
  }

  bool valid() const override { return at_ != last_; }
  void next() override { ++at_; }
  void seek(BytesView key) override {
    if (!status_) return;
    if (first_ == last_ || key <= first_->first) {
      at_ = first_;
      return;
    }
    at_ = map_->lower_bound(key);
    if (at_ == map_->end() || (last_ != map_->end() && at_->first >= last_->first)) at_ = last_;
  }
  void seek_for_previous(BytesView key) override {
    if (!status_ || first_ == last_) return;
    at_ = map_->upper_bound(key);
    if (last_ != map_->end() && (at_ == map_->end() || at_->first > last_->first)) at_ = last_;
    previous_of(at_);
  }
  void previous() override { previous_of(at_); }
  void seek_to_last() override {
    if (status_ && first_ != last_) at_ = std::prev(last_);
  }
  BytesView key() const override { return at_->first; }
  BytesView value() const override { return at_->second; }
  Status status() const override { return status_; }

 private:
  void previous_of(Map::const_iterator position) {
    if (position == first_ || (position != map_->end() && position->first <= first_->first)) {
      at_ = last_;
    } else {
      at_ = std::prev(position);
    }
  }

  std::shared_ptr<const Map> map_;
  Map::const_iterator first_;
  Map::const_iterator last_;
  Map::const_iterator at_;
  Status status_;
};

}  // namespace

struct SimulatedStorage::Disk {
  mutable std::mutex mutex;
  std::uint64_t process = 0;  // Counts crashes; a handle of another process is dead.

  SharedMap journal;                 // What readers see.
  Map durable;                       // What a crash leaves at least.
  std::vector<WriteBatch> unsynced;  // The difference, in order.
  std::map<std::string, FamilyFiles> families;
  std::uint64_t families_made = 0;

  std::size_t failures_left = 0;
  ErrorCode failure_code = ErrorCode::kIo;
  bool reads_fail_too = false;
  std::optional<ErrorCode> writes_fail;
  std::function<void(std::string_view)> hook;
  Options options;

  void step(std::string_view name) const {
    if (hook) hook(name);
  }
  /// Whether the operation named goes wrong by an injected fault. Called with the mutex held.
  Status fault(std::string_view operation, bool is_read) {
    std::optional<ErrorCode> code;
    if (failures_left > 0 && (!is_read || reads_fail_too)) {
      --failures_left;
      code = failure_code;
    } else if (writes_fail && !is_read) {
      code = writes_fail;
    }
    if (!code) return {};
    return failure(*code, "simulated storage: " + std::string(operation) +
                              (*code == ErrorCode::kNoSpace ? ": no space left on device"
                                                            : ": input/output error"));
  }
};

namespace {

using Disk = SimulatedStorage::Disk;

class SimulatedJournal final : public Journal {
 public:
  SimulatedJournal(std::shared_ptr<Disk> disk, std::uint64_t process)
      : disk_(std::move(disk)), process_(process) {}

  Status append(const WriteBatch& batch) override {
    disk_->step("append");
    {
      std::lock_guard lock(disk_->mutex);
      if (process_ != disk_->process) return dead_process();
      if (auto status = disk_->fault("append", false); !status) return status;
      apply_batch(batch, disk_->journal.write());
      disk_->unsynced.push_back(batch);
    }
    disk_->step("appended");
    return {};
  }

  Status reclaim() override { return {}; }
  Status sync() override {
    disk_->step("sync");
    {
      std::lock_guard lock(disk_->mutex);
      if (process_ != disk_->process) return dead_process();
      if (auto status = disk_->fault("sync", false); !status) return status;
      for (const auto& batch : disk_->unsynced) apply_batch(batch, disk_->durable);
      disk_->unsynced.clear();
    }
    disk_->step("synced");
    return {};
  }

  Result<bool> get(BytesView key, std::string& value) const override {
    std::lock_guard lock(disk_->mutex);
    if (process_ != disk_->process) return dead_process();
    if (auto status = disk_->fault("get", true); !status) return std::unexpected(status.error());
    const auto& map = disk_->journal.read();
    const auto found = map.find(key);
    if (found == map.end()) return false;
    value = found->second;
    return true;
  }

  std::unique_ptr<StorageCursor> scan(BytesView from, BytesView to) const override {
    std::lock_guard lock(disk_->mutex);
    Status status;
    if (process_ != disk_->process) {
      status = dead_process();
    } else {
      status = disk_->fault("scan", true);
    }
    return std::make_unique<SnapshotCursor>(disk_->journal.snapshot(), from, to, std::move(status));
  }

 private:
  std::shared_ptr<Disk> disk_;
  std::uint64_t process_;
};

class SimulatedFamily final : public Family {
 public:
  /// Called with the disk's mutex held.
  SimulatedFamily(std::shared_ptr<Disk> disk, std::string name, std::uint64_t made)
      : disk_(std::move(disk)), process_(disk_->process), name_(std::move(name)), made_(made) {}

  Status ingest(const std::vector<Entry>& entries, const Checkpoint& checkpoint,
                BytesView drop_before) override {
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i - 1].key >= entries[i].key) {
        return failure(ErrorCode::kInvalid, "family " + name_ + ": keys must ascend");
      }
    }
    disk_->step("ingest");
    {
      std::lock_guard lock(disk_->mutex);
      auto files = living("ingest", false);
      if (!files) return std::unexpected(files.error());
      auto& map = (*files)->entries.write();
      map.erase(map.begin(), map.lower_bound(drop_before));
      for (const auto& entry : entries) {
        if (entry.value) {
          map.insert_or_assign(std::string(entry.key), std::string(*entry.value));
        } else if (const auto found = map.find(entry.key); found != map.end()) {
          map.erase(found);
        }
      }
      (*files)->checkpoint = checkpoint.encode();
    }
    disk_->step("ingested");
    return {};
  }

  Result<Checkpoint> checkpoint() const override {
    std::lock_guard lock(disk_->mutex);
    auto files = living("checkpoint", true);
    if (!files) return std::unexpected(files.error());
    if (!(*files)->checkpoint) {
      return failure(ErrorCode::kNotFound, "family " + name_ + " holds nothing yet");
    }
    return Checkpoint::decode(*(*files)->checkpoint);
  }

  Result<bool> get(BytesView key, std::string& value) const override {
    std::lock_guard lock(disk_->mutex);
    auto files = living("get", true);
    if (!files) return std::unexpected(files.error());
    const auto& map = (*files)->entries.read();
    const auto found = map.find(key);
    if (found == map.end()) return false;
    value = found->second;
    return true;
  }

  std::unique_ptr<StorageCursor> scan(BytesView from, std::optional<BytesView> to) const override {
    std::lock_guard lock(disk_->mutex);
    auto files = living("scan", true);
    if (!files) {
      return std::make_unique<SnapshotCursor>(std::make_shared<const Map>(), BytesView{},
                                              std::nullopt, std::unexpected(files.error()));
    }
    return std::make_unique<SnapshotCursor>((*files)->entries.snapshot(), from, to, Status{});
  }

  std::uint64_t approximate_entries() const override {
    std::lock_guard lock(disk_->mutex);
    const auto found = disk_->families.find(name_);
    return found == disk_->families.end() ? 0 : found->second.entries.read().size();
  }

 private:
  /// The family's files, unless this handle is dead, they are gone or damaged, or a fault is due.
  Result<FamilyFiles*> living(std::string_view operation, bool is_read) const {
    if (process_ != disk_->process) return dead_process();
    if (auto status = disk_->fault(operation, is_read); !status) {
      return std::unexpected(status.error());
    }
    const auto found = disk_->families.find(name_);
    if (found == disk_->families.end() || found->second.made != made_) {
      return failure(ErrorCode::kNotFound, "family " + name_ + " was dropped");
    }
    if (found->second.damaged) {
      return failure(ErrorCode::kCorrupt, "family " + name_ + ": block checksum mismatch");
    }
    return &found->second;
  }

  std::shared_ptr<Disk> disk_;
  std::uint64_t process_;
  std::string name_;
  std::uint64_t made_;
};

}  // namespace

SimulatedStorage::SimulatedStorage() : SimulatedStorage(Options{}) {}

SimulatedStorage::SimulatedStorage(Options options) : disk_(std::make_shared<Disk>()) {
  disk_->options = std::move(options);
  journals_.push_back(std::make_unique<SimulatedJournal>(disk_, disk_->process));
}

SimulatedStorage::~SimulatedStorage() = default;

Journal& SimulatedStorage::journal() { return *journals_.back(); }

Result<std::shared_ptr<Family>> SimulatedStorage::open_family(const std::string& name) {
  bool was_damaged = false;
  std::shared_ptr<Family> family;
  {
    std::lock_guard lock(disk_->mutex);
    if (auto status = disk_->fault("open family", true); !status) {
      return std::unexpected(status.error());
    }
    auto& files = disk_->families[name];
    was_damaged = files.damaged;
    if (was_damaged) files = FamilyFiles{};
    if (files.made == 0) files.made = ++disk_->families_made;
    family = std::make_shared<SimulatedFamily>(disk_, name, files.made);
  }
  if (was_damaged && disk_->options.on_damage) {
    disk_->options.on_damage("family " + name +
                             " was damaged: dropped, to be restored from its changelog");
  }
  return family;
}

Status SimulatedStorage::drop_family(const std::string& name) {
  disk_->step("drop-family");
  {
    std::lock_guard lock(disk_->mutex);
    if (auto status = disk_->fault("drop family", false); !status) return status;
    disk_->families.erase(name);
  }
  disk_->step("dropped-family");
  return {};
}

std::vector<std::string> SimulatedStorage::families() const {
  std::lock_guard lock(disk_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, files] : disk_->families) names.push_back(name);
  return names;
}

std::size_t SimulatedStorage::unsynced_batches() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->unsynced.size();
}

void SimulatedStorage::crash(std::size_t surviving) {
  std::lock_guard lock(disk_->mutex);
  ++disk_->process;
  surviving = std::min(surviving, disk_->unsynced.size());
  for (std::size_t i = 0; i < surviving; ++i) apply_batch(disk_->unsynced[i], disk_->durable);
  disk_->unsynced.clear();
  disk_->journal.replace(disk_->durable);
  disk_->failures_left = 0;
  disk_->writes_fail.reset();
  journals_.push_back(std::make_unique<SimulatedJournal>(disk_, disk_->process));
}

void SimulatedStorage::fail_next(std::size_t operations, ErrorCode code, bool reads_too) {
  std::lock_guard lock(disk_->mutex);
  disk_->failures_left = operations;
  disk_->failure_code = code;
  disk_->reads_fail_too = reads_too;
}

void SimulatedStorage::fail_writes(ErrorCode code) {
  std::lock_guard lock(disk_->mutex);
  disk_->writes_fail = code;
}

void SimulatedStorage::heal() {
  std::lock_guard lock(disk_->mutex);
  disk_->failures_left = 0;
  disk_->writes_fail.reset();
}

void SimulatedStorage::on_step(std::function<void(std::string_view step)> hook) {
  disk_->hook = std::move(hook);
}

void SimulatedStorage::corrupt_family(const std::string& name) {
  std::lock_guard lock(disk_->mutex);
  if (const auto found = disk_->families.find(name); found != disk_->families.end()) {
    found->second.damaged = true;
  }
}

void SimulatedStorage::corrupt_checkpoint(const std::string& name) {
  std::lock_guard lock(disk_->mutex);
  const auto found = disk_->families.find(name);
  if (found != disk_->families.end() && found->second.checkpoint) {
    auto& bytes = *found->second.checkpoint;
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  }
}

void SimulatedStorage::drop_state() {
  std::lock_guard lock(disk_->mutex);
  disk_->families.clear();
}

}  // namespace thalweg
