// What RocksDbFamilies does when the database does not open.

#include <algorithm>
#include <filesystem>

#include <rocksdb/sst_file_reader.h>

#include "directory_lock.h"
#include "rocksdb_families.h"

namespace thalweg::internal {
namespace {

namespace fs = std::filesystem;

/// What is wrong with a table file, in words; empty when nothing is.
std::string damage_of(const std::string& file, std::uint64_t size,
                      const rocksdb::Options& options) {
  std::error_code error;
  const auto found = fs::file_size(file, error);
  if (error) return file + ": " + error.message();
  if (found != size) {
    return file + ": " + std::to_string(found) + " bytes, not " + std::to_string(size);
  }
  rocksdb::SstFileReader reader(options);
  auto status = reader.Open(file);
  if (status.ok()) status = reader.VerifyChecksum();
  return status.ok() ? std::string() : file + ": " + status.ToString();
}

/// When the directory was last changed, for its name once it is set aside: `20260131T235959`.
std::string time_of(const std::string& directory) {
  std::error_code error;
  const auto changed = fs::last_write_time(directory, error);
  const auto time = std::chrono::file_clock::to_sys(changed);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts);
  return text;
}

}  // namespace

/// Opens the database without looking into its files, looks into each, and drops the families that
/// have a bad one. False when that is not possible, or no family is to blame.
bool RocksDbFamilies::drop_damaged_families() {
  rocksdb::DBOptions options = base_options();
  options.create_if_missing = false;
  options.paranoid_checks = false;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.skip_stats_update_on_db_open = true;
  options.max_open_files = 16;
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, options_.path, &names).ok()) return false;
  rocksdb::ColumnFamilyOptions family = family_options();
  family.disable_auto_compactions = true;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto& name : names) descriptors.emplace_back(name, family);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  if (!rocksdb::DB::Open(options, options_.path, descriptors, &handles, &opened).ok()) return false;
  const std::unique_ptr<rocksdb::DB> db(opened);

  std::map<std::string, std::string> damaged;
  std::vector<rocksdb::LiveFileMetaData> files;
  db->GetLiveFilesMetaData(&files);
  for (const auto& file : files) {
    if (damaged.contains(file.column_family_name)) continue;
    const auto damage = damage_of(file.db_path + file.name, file.size, {options, family});
    if (!damage.empty()) damaged.emplace(file.column_family_name, damage);
  }
  bool dropped = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = damaged.find(names[i]);
    if (found != damaged.end() && db->DropColumnFamily(handles[i]).ok()) {
      dropped = true;
      tell("family " + names[i] +
           " was damaged: dropped, to be restored from its changelog: " + found->second);
    }
    db->DestroyColumnFamilyHandle(handles[i]);
  }
  db->Close();
  return dropped;
}

/// Renames the database out of the way. Only the last one set aside is kept.
Status RocksDbFamilies::set_aside() {
  const fs::path path(options_.path);
  const std::string prefix = path.filename().string() + ".damaged-";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
    if (entry.path().filename().string().starts_with(prefix)) fs::remove_all(entry.path(), error);
  }
  const std::string target = (path.parent_path() / (prefix + time_of(options_.path))).string();
  if (::rename(options_.path.c_str(), target.c_str()) != 0) {
    return std::unexpected(system_error("cannot set aside", options_.path));
  }
  return sync_directory(path.parent_path().string());
}

}  // namespace thalweg::internal
