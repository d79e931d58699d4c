#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {

using Content = std::map<std::string, std::string>;

inline Content content_of(const Journal& journal) {
  Content content;
  auto cursor = journal.scan("", "");
  for (; cursor->valid(); cursor->next()) content.emplace(cursor->key(), cursor->value());
  EXPECT_TRUE(cursor->status()) << cursor->status().error().message;
  return content;
}

inline WriteBatch put(const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.put(key, value);
  return batch;
}

/// A journal on files, which a test may damage while nobody has it open.
class JournalWorld : public testing::Test {
 protected:
  /// Small files, and an index that is saved after so many bytes.
  void open(std::uint64_t replay_bytes = 1u << 30) {
    options_.journal_segment_bytes = 4'096;
    options_.journal_replay_bytes = replay_bytes;
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().message;
    storage_ = *std::move(opened);
  }
  Result<std::unique_ptr<Storage>> try_open() {
    return open_rocksdb_storage(place_->path(), options_);
  }
  void close() { storage_.reset(); }
  /// The process is gone; what it had written to files is there, and nothing else.
  void crash() {
    auto copy = std::make_unique<TemporaryDirectory>();
    // The index is written in the background: a copy counts if nothing moved meanwhile.
    while (!copy_log(std::filesystem::path(copy->path()) / "log")) {
    }
    storage_.reset();
    place_ = std::move(copy);
  }
  bool copy_log(const std::filesystem::path& to) const {
    std::error_code error;
    std::filesystem::remove_all(to, error);
    const auto before = files();
    std::filesystem::copy(log(), to, std::filesystem::copy_options::recursive, error);
    return !error && before == files();
  }
  std::map<std::filesystem::path, std::uintmax_t> files() const {
    std::map<std::filesystem::path, std::uintmax_t> sizes;
    std::error_code gone;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(log())) {
      sizes[entry.path()] = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
    }
    return sizes;
  }
  void append(const WriteBatch& batch) {
    const auto status = journal().append(batch);
    ASSERT_TRUE(status) << status.error().message;
  }
  void append_and_sync(const WriteBatch& batch) {
    append(batch);
    sync();
  }
  void sync() {
    const auto status = journal().sync();
    ASSERT_TRUE(status) << status.error().message;
  }
  void reclaim() {
    const auto status = journal().reclaim();
    ASSERT_TRUE(status) << status.error().message;
  }
  Journal& journal() { return storage_->journal(); }
  std::string get(const std::string& key) {
    std::string value;
    const auto found = journal().get(key, value);
    EXPECT_TRUE(found) << found.error().message;
    return found && *found ? value : "none";
  }
  std::filesystem::path log() const { return std::filesystem::path(place_->path()) / "log"; }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(log() / "segments")) {
      files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }
  std::uintmax_t disk_bytes() const {
    std::uintmax_t bytes = 0;
    for (const auto& file : segments()) bytes += std::filesystem::file_size(file);
    return bytes;
  }
  static void flip_byte(const std::filesystem::path& file, std::uintmax_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(stream.get() ^ 0x40);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
  }
  void expect_refusal(const std::string& because) {
    const auto opened = try_open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(opened.error().message,
                testing::AllOf(testing::HasSubstr(log().string()), testing::HasSubstr(because)));
  }

  RocksDbStorageOptions options_ = {.block_cache_bytes = 1u << 20};
  std::unique_ptr<TemporaryDirectory> place_ = std::make_unique<TemporaryDirectory>();
  std::unique_ptr<Storage> storage_;
};

}  // namespace thalweg::test
