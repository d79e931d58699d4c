#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "rocksdb_support.h"

namespace thalweg::internal {

/// The families of a storage: one RocksDB, a column family each, written by ingested files only.
/// Always held by a shared_ptr: families and cursors keep the database open.
class RocksDbFamilies : public std::enable_shared_from_this<RocksDbFamilies> {
 public:
  struct Options {
    std::string path;        ///< Of the database.
    std::string spill_path;  ///< Where files are written that are then moved into the database.
    std::shared_ptr<rocksdb::Cache> cache;
    std::function<void(const std::string& message)> on_damage;
    std::shared_ptr<const void> lock;  ///< Held as long as the database is open.
  };

  /// Opens the database, or makes it. Damaged families are dropped; a database that cannot be
  /// opened without them either is set aside.
  static Result<std::shared_ptr<RocksDbFamilies>> open(Options options);
  ~RocksDbFamilies();

  /// A new family is made in the database when something is first written to any of them.
  Result<std::shared_ptr<Family>> open_family(const std::string& name);
  Status drop_family(const std::string& name);
  std::vector<std::string> names() const;

 private:
  class Handle;
  class StoredFamily;
  class DamageListener;

  explicit RocksDbFamilies(Options options);
  rocksdb::Status open_database();
  rocksdb::DBOptions database_options() const;
  rocksdb::ColumnFamilyOptions family_options() const;
  bool drop_damaged_families();
  Status set_aside();
  Status drop(const std::string& name);
  Status make_families();
  void tell(const std::string& message) const;
  std::string next_spill_file();

  const Options options_;
  std::shared_ptr<DamageListener> listener_;
  std::unique_ptr<rocksdb::DB> db_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Handle>> handles_;
  std::atomic<std::uint64_t> spill_files_ = 0;
};

}  // namespace thalweg::internal
