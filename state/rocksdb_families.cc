#include "rocksdb_families.h"

#include <filesystem>

#include <rocksdb/listener.h>
#include <rocksdb/sst_file_writer.h>

#include "free_space.h"

namespace thalweg::internal {
namespace {

namespace fs = std::filesystem;

// User keys carry one leading byte, so that none can be the reserved key, which sorts first.
constexpr char kUserKey = '\x01';
constexpr char kBehindUserKeys = '\x02';
constexpr BytesView kCheckpointKey{"\0checkpoint", 11};

/// Takes a user key into reused memory, with its leading byte.
rocksdb::Slice stored_key(BytesView key, std::string& memory) {
  memory.assign(1, kUserKey).append(key);
  return memory;
}

}  // namespace

/// A column family of the open database, or one that is yet to be made: it then holds nothing.
class RocksDbFamilies::Handle {
 public:
  explicit Handle(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family = nullptr)
      : db_(db), family_(family) {}
  ~Handle() {
    if (get()) db_.DestroyColumnFamilyHandle(get());
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void made(rocksdb::ColumnFamilyHandle* family) { family_.store(family); }
  /// Null: not made yet.
  rocksdb::ColumnFamilyHandle* get() const { return family_.load(); }

 private:
  rocksdb::DB& db_;
  std::atomic<rocksdb::ColumnFamilyHandle*> family_;
};

/// Keeps one damaged family from stopping the database: the error of its compaction is taken back,
/// and the family is marked, so that whoever uses it next is told to restore it.
class RocksDbFamilies::DamageListener final : public rocksdb::EventListener {
 public:
  explicit DamageListener(std::function<void(const std::string&)> on_damage)
      : on_damage_(std::move(on_damage)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    if (reason == rocksdb::BackgroundErrorReason::kCompaction && error->IsCorruption()) {
      *error = rocksdb::Status::OK();
    }
  }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) override {
    if (!info.status.IsCorruption()) return;
    std::unique_lock lock(mutex_);
    if (!damaged_.insert(info.cf_id).second) return;
    lock.unlock();
    if (on_damage_) {
      on_damage_("family " + info.cf_name +
                 " is damaged, to be restored from its changelog: " + info.status.ToString());
    }
  }
  bool is_damaged(std::uint32_t family) const {
    std::lock_guard lock(mutex_);
    return damaged_.contains(family);
  }

 private:
  const std::function<void(const std::string&)> on_damage_;
  mutable std::mutex mutex_;
  std::set<std::uint32_t> damaged_;
};

class RocksDbFamilies::StoredFamily final : public Family {
 public:
  StoredFamily(std::shared_ptr<RocksDbFamilies> owner, std::shared_ptr<Handle> handle,
               const std::string& name)
      : owner_(std::move(owner)),
        handle_(std::move(handle)),
        where_(owner_->options_.path + ", family " + name) {}

  Status ingest(const std::vector<Entry>& entries, const Checkpoint& checkpoint,
                BytesView drop_before) override {
    if (auto status = make(); !status) return status;
    if (auto status = undamaged(); !status) return status;
    std::size_t bytes = 0;
    for (const auto& entry : entries)
      bytes += entry.key.size() + (entry.value ? entry.value->size() : 0);
    if (auto room = check_free_space(owner_->options_.spill_path, bytes); !room) return room;
    const std::string file = owner_->next_spill_file();
    auto status = write_file(file, entries, checkpoint, drop_before);
    if (status.ok()) {
      rocksdb::IngestExternalFileOptions options;
      options.move_files = true;
      options.write_global_seqno = false;
      status = owner_->db_->IngestExternalFile(handle_->get(), {file}, options);
    }
    std::error_code
        ignored;  // After success the file has moved; what is left goes at the next open.
    fs::remove(file, ignored);
    if (status.IsInvalidArgument()) {
      return failure(ErrorCode::kInvalid,
                     "cannot ingest into " + where_ + ": " + status.ToString());
    }
    return to_status(status, "cannot ingest into", where_);
  }

  Result<Checkpoint> checkpoint() const override {
    if (auto status = undamaged(); !status) return std::unexpected(status.error());
    if (!handle_->get()) return failure(ErrorCode::kNotFound, where_ + " holds nothing yet");
    std::string bytes;
    const auto status = owner_->db_->Get({}, handle_->get(), to_slice(kCheckpointKey), &bytes);
    if (!status.ok()) {
      return std::unexpected(to_error(status, "cannot read the checkpoint of", where_));
    }
    return Checkpoint::decode(bytes);
  }

  Result<bool> get(BytesView key, std::string& value) const override {
    if (!handle_->get()) return false;
    thread_local std::string memory;
    const auto status = owner_->db_->Get({}, handle_->get(), stored_key(key, memory), &value);
    if (status.IsNotFound()) return false;
    if (!status.ok()) return std::unexpected(to_error(status, "cannot read", where_));
    return true;
  }

  std::unique_ptr<StorageCursor> scan(BytesView from, std::optional<BytesView> to) const override {
    if (!handle_->get()) return std::make_unique<EmptyCursor>();
    std::string low;
    std::string high(1, kBehindUserKeys);
    stored_key(from, low);
    if (to) stored_key(*to, high);
    return std::make_unique<RocksDbCursor>(std::make_shared<Keep>(owner_, handle_), *owner_->db_,
                                           handle_->get(), where_, low, high,
                                           std::string(1, kUserKey));
  }

  std::uint64_t approximate_entries() const override {
    if (!handle_->get()) return 0;
    std::uint64_t keys = 0;
    owner_->db_->GetIntProperty(handle_->get(), rocksdb::DB::Properties::kEstimateNumKeys, &keys);
    return keys > 0 ? keys - 1 : 0;  // One is the checkpoint.
  }

 private:
  using Keep = std::pair<std::shared_ptr<RocksDbFamilies>, std::shared_ptr<Handle>>;

  Status make() const {
    if (handle_->get()) return {};
    if (auto status = owner_->make_families(); !status) return status;
    if (!handle_->get()) return failure(ErrorCode::kUnavailable, where_ + " was dropped");
    return {};
  }

  Status undamaged() const {
    if (!handle_->get() || !owner_->listener_->is_damaged(handle_->get()->GetID())) return {};
    return failure(ErrorCode::kCorrupt, where_ + ": a compaction found damaged files");
  }

  rocksdb::Status write_file(const std::string& file, const std::vector<Entry>& entries,
                             const Checkpoint& checkpoint, BytesView drop_before) const {
    const rocksdb::Options options(owner_->database_options(), owner_->family_options());
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options, handle_->get(),
                                  /*invalidate_page_cache=*/false);
    auto status = writer.Open(file);
    if (status.ok()) status = writer.Put(to_slice(kCheckpointKey), checkpoint.encode());
    std::string memory;
    if (status.ok() && !drop_before.empty()) {
      status = writer.DeleteRange(rocksdb::Slice(&kUserKey, 1), stored_key(drop_before, memory));
    }
    constexpr std::size_t kAhead = 8;  // Entries lie anywhere in memory.
    for (std::size_t i = 0; status.ok() && i < entries.size(); ++i) {
      if (i + kAhead < entries.size()) {
        const Entry& soon = entries[i + kAhead];
        __builtin_prefetch(soon.key.data());
        if (soon.value) __builtin_prefetch(soon.value->data() + soon.value->size());
      }
      const auto key = stored_key(entries[i].key, memory);
      status = entries[i].value ? writer.Put(key, to_slice(*entries[i].value)) : writer.Delete(key);
    }
    return status.ok() ? writer.Finish() : status;
  }

  // In this order: the handle goes before the database.
  std::shared_ptr<RocksDbFamilies> owner_;
  std::shared_ptr<Handle> handle_;
  const std::string where_;
};

RocksDbFamilies::RocksDbFamilies(Options options)
    : options_(std::move(options)),
      listener_(std::make_shared<DamageListener>(options_.on_damage)) {}

RocksDbFamilies::~RocksDbFamilies() {
  handles_.clear();
  if (db_) db_->Close();
}

rocksdb::DBOptions RocksDbFamilies::database_options() const {
  auto options = base_options();
  options.listeners.push_back(listener_);
  return options;
}

rocksdb::ColumnFamilyOptions RocksDbFamilies::family_options() const {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory = make_table_factory(options_.cache, Lookups::kMayMiss);
  options.compression = rocksdb::kLZ4Compression;
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.write_buffer_size = 1u << 20;  // Never used: nothing is written but by files.
  options.max_write_buffer_number = 2;
  return options;
}

void RocksDbFamilies::tell(const std::string& message) const {
  if (options_.on_damage) options_.on_damage(message);
}

std::string RocksDbFamilies::next_spill_file() {
  return options_.spill_path + "/" + std::to_string(++spill_files_) + ".sst";
}

Result<std::shared_ptr<RocksDbFamilies>> RocksDbFamilies::open(Options options) {
  std::shared_ptr<RocksDbFamilies> families(new RocksDbFamilies(std::move(options)));
  auto status = families->open_database();
  if (!status.ok() && is_damage(status) && families->drop_damaged_families()) {
    status = families->open_database();
  }
  if (!status.ok() && is_damage(status)) {
    const std::string reason = status.ToString();
    if (auto aside = families->set_aside(); !aside) return std::unexpected(aside.error());
    families->tell("state database " + families->options_.path +
                   " does not open and was set aside, all stores are restored: " + reason);
    status = families->open_database();
  }
  if (!status.ok()) {
    return std::unexpected(
        to_error(status, "cannot open the state database", families->options_.path));
  }
  return families;
}

rocksdb::Status RocksDbFamilies::open_database() {
  const auto options = database_options();
  std::vector<std::string> names{rocksdb::kDefaultColumnFamilyName};
  if (fs::exists(options_.path + "/CURRENT")) {
    const auto status = rocksdb::DB::ListColumnFamilies(options, options_.path, &names);
    if (!status.ok()) return status;
  } else if (fs::exists(options_.path) && !fs::is_empty(options_.path)) {
    return rocksdb::Status::Corruption("no CURRENT file");
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto& name : names) descriptors.emplace_back(name, family_options());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, options_.path, descriptors, &handles, &db);
  if (!status.ok()) return status;
  db_.reset(db);
  for (std::size_t i = 0; i < names.size(); ++i) {
    handles_.emplace(names[i], std::make_shared<Handle>(*db_, handles[i]));
  }
  return status;
}

std::vector<std::string> RocksDbFamilies::names() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, handle] : handles_) {
    if (name != rocksdb::kDefaultColumnFamilyName) names.push_back(name);
  }
  return names;
}

Result<std::shared_ptr<Family>> RocksDbFamilies::open_family(const std::string& name) {
  if (name.empty() || name == rocksdb::kDefaultColumnFamilyName) {
    return failure(ErrorCode::kInvalid, "a family cannot be named \"" + name + "\"");
  }
  std::lock_guard lock(mutex_);
  if (const auto found = handles_.find(name); found != handles_.end()) {
    const auto family = std::make_shared<StoredFamily>(shared_from_this(), found->second, name);
    const auto checkpoint = family->checkpoint();
    if (checkpoint || checkpoint.error().code != ErrorCode::kCorrupt) return family;
    if (auto status = drop(name); !status) return std::unexpected(status.error());
    tell("family " + name +
         " was damaged: dropped, to be restored from its changelog: " + checkpoint.error().message);
  }
  auto handle = std::make_shared<Handle>(*db_);
  handles_.insert_or_assign(name, handle);
  return std::make_shared<StoredFamily>(shared_from_this(), std::move(handle), name);
}

// RocksDB writes the options of all its families, and reads them back, each time that it makes
// some: one by one, an application of many stores would wait for seconds before it starts.
Status RocksDbFamilies::make_families() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, handle] : handles_) {
    if (!handle->get()) names.push_back(name);
  }
  if (names.empty()) return {};
  std::vector<rocksdb::ColumnFamilyHandle*> made;
  const auto status = db_->CreateColumnFamilies(family_options(), names, &made);
  for (std::size_t i = 0; i < made.size(); ++i) handles_.at(names[i])->made(made[i]);
  return to_status(status, "cannot make families in", options_.path);
}

Status RocksDbFamilies::drop_family(const std::string& name) {
  std::lock_guard lock(mutex_);
  return handles_.contains(name) ? drop(name) : Status{};
}

Status RocksDbFamilies::drop(const std::string& name) {
  const auto found = handles_.find(name);
  if (auto* made = found->second->get()) {
    const auto status = db_->DropColumnFamily(made);
    if (!status.ok()) return to_status(status, "cannot drop family " + name + " in", options_.path);
  }
  handles_.erase(found);
  return {};
}

}  // namespace thalweg::internal
