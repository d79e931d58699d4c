#include <filesystem>
#include <utility>
#include <vector>

#include <thalweg/state/storage.h>

#include "directory_lock.h"
#include "disk_journal.h"
#include "rocksdb_families.h"

namespace thalweg {
namespace internal {
namespace {

namespace fs = std::filesystem;

class RocksDbStorage final : public Storage {
 public:
  RocksDbStorage(std::shared_ptr<const DirectoryLock> lock, std::unique_ptr<DiskJournal> journal,
                 std::shared_ptr<RocksDbFamilies> families)
      : lock_(std::move(lock)), journal_(std::move(journal)), families_(std::move(families)) {}

  Journal& journal() override { return *journal_; }
  Result<std::shared_ptr<Family>> open_family(const std::string& name) override {
    return families_->open_family(name);
  }
  Status drop_family(const std::string& name) override { return families_->drop_family(name); }
  std::vector<std::string> families() const override { return families_->names(); }

 private:
  std::shared_ptr<const DirectoryLock> lock_;  // Shared with the families, which may live longer.
  std::unique_ptr<DiskJournal> journal_;
  std::shared_ptr<RocksDbFamilies> families_;
};

/// Makes the directory and those above it that are missing. Their names last before anything is
/// written below: an empty log must not take the place of one that a power failure made nameless.
Status make_directory(const std::string& path) {
  std::error_code error;
  std::vector<fs::path> parents;
  fs::path at = fs::absolute(path, error).lexically_normal();
  if (!at.has_filename()) at = at.parent_path();  // "data/"
  for (; !error && !fs::exists(at, error) && !error; at = at.parent_path()) {
    parents.push_back(at.parent_path());
  }
  if (!error) fs::create_directories(path, error);
  if (error) {
    const bool is_full = error == std::errc::no_space_on_device;
    return failure(is_full ? ErrorCode::kNoSpace : ErrorCode::kIo,
                   "cannot make directory " + path + ": " + error.message());
  }
  for (const auto& parent : parents) {
    if (auto status = sync_directory(parent.string()); !status) return status;
  }
  return {};
}

/// An empty directory for files on their way into the database: what a crash left there is removed.
Status clear_spill_directory(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    return failure(ErrorCode::kIo, "cannot clear directory " + path + ": " + error.message());
  }
  return make_directory(path);
}

}  // namespace
}  // namespace internal

Result<std::unique_ptr<Storage>> open_rocksdb_storage(const std::string& directory,
                                                      RocksDbStorageOptions options) {
  using namespace internal;
  if (auto status = make_directory(directory); !status) return std::unexpected(status.error());
  auto locked = DirectoryLock::acquire(directory);
  if (!locked) return std::unexpected(locked.error());
  const std::shared_ptr<const DirectoryLock> lock = std::move(*locked);

  const std::string spill_path = directory + "/spill";
  if (auto status = clear_spill_directory(spill_path); !status) {
    return std::unexpected(status.error());
  }
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  auto journal = DiskJournal::open(directory + "/log", cache,
                                   {.segment_bytes = options.journal_segment_bytes,
                                    .replay_bytes = options.journal_replay_bytes});
  if (!journal) return std::unexpected(journal.error());
  auto families = RocksDbFamilies::open(
      {directory + "/state", spill_path, cache, std::move(options.on_damage), lock});
  if (!families) return std::unexpected(families.error());
  if (auto status = sync_directory(directory); !status) return std::unexpected(status.error());
  return std::make_unique<RocksDbStorage>(lock, std::move(*journal), std::move(*families));
}

}  // namespace thalweg
