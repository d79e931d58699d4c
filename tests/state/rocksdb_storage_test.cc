// What a directory goes through: second openers, damaged and deleted files, leftovers.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Checkpoint checkpoint_at(Offset offset) {
  return {offset, "cluster", "changelog", 1, kNoTimestamp};
}

std::vector<fs::path> files_in(const fs::path& directory, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> files_beginning(const fs::path& directory, const std::string& prefix) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(prefix)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void flip_byte(const fs::path& file, std::uintmax_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(stream.get() ^ 0x40);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

/// Bytes that this process has read from files so far.
std::uint64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::uint64_t value = 0;
  for (std::string name; io >> name >> value;) {
    if (name == "rchar:") return value;
  }
  throw std::runtime_error("/proc/self/io does not say what was read");
}

class RocksDbDirectory : public testing::Test {
 protected:
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().message;
    storage = std::move(*opened);
  }
  Result<std::unique_ptr<Storage>> try_open() {
    return open_rocksdb_storage(directory.path(), {.block_cache_bytes = 1u << 20,
                                                   .on_damage = [this](const std::string& message) {
                                                     told.push_back(message);
                                                   }});
  }
  void close() { storage.reset(); }
  void ingest(const std::string& family, const std::string& value = "value") {
    const auto opened = storage->open_family(family);
    ASSERT_TRUE(opened);
    const auto status = (*opened)->ingest({{"key", BytesView(value)}}, checkpoint_at(7));
    ASSERT_TRUE(status) << status.error().message;
  }
  std::string read(const std::string& family) {
    std::string value = "none";
    const auto found = (*storage->open_family(family))->get("key", value);
    return found ? value : found.error().message;
  }
  fs::path state() const { return fs::path(directory.path()) / "state"; }
  std::vector<std::string> set_aside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("state.damaged-")) names.push_back(name);
    }
    return names;
  }

  TemporaryDirectory directory;
  std::unique_ptr<Storage> storage;
  std::vector<std::string> told;
};

TEST_F(RocksDbDirectory, SecondOpenerIsToldWhoHoldsIt) {
  open();

  const auto second = try_open();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_THAT(second.error().message, AllOf(HasSubstr("process " + std::to_string(::getpid())),
                                            HasSubstr(directory.path())));
  close();
  EXPECT_TRUE(try_open());
}

TEST_F(RocksDbDirectory, FamiliesKeepTheDirectoryLockedUntilTheyGo) {
  open();
  auto family = *storage->open_family("table");
  close();

  EXPECT_EQ(try_open().error().code, ErrorCode::kLocked);
  family.reset();
  EXPECT_TRUE(try_open());
}

TEST_F(RocksDbDirectory, DirectoryThatCannotBeMadeIsAnErrorWithItsName) {
  const std::string file = directory.path() + "/plain";
  std::ofstream(file) << "not a directory";

  const auto opened = open_rocksdb_storage(file + "/below");

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(file + "/below"));
}

TEST_F(RocksDbDirectory, FamiliesAreMadeAllAtOnceByTheFirstWrite) {
  open();
  const auto files_before = files_beginning(state(), "OPTIONS-");
  std::vector<std::shared_ptr<Family>> families;
  for (int i = 0; i < 20; ++i) families.push_back(*storage->open_family(std::to_string(i)));
  EXPECT_FALSE(families[7]->scan()->valid());
  EXPECT_EQ(families[7]->checkpoint().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_beginning(state(), "OPTIONS-"), files_before) << "nothing is written yet";

  ingest("7");

  EXPECT_EQ(read("7"), "value");
  EXPECT_EQ(read("8"), "none");
  families.clear();
  close();
  open();
  EXPECT_THAT(storage->families(), SizeIs(20));
  EXPECT_EQ(read("7"), "value");
}

TEST_F(RocksDbDirectory, FamilyDroppedBeforeItsFirstWriteTakesNone) {
  open();
  const auto family = *storage->open_family("short-lived");
  ASSERT_TRUE(storage->drop_family("short-lived"));

  const auto written = family->ingest({{"key", BytesView("value")}}, checkpoint_at(7));

  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("short-lived was dropped"));
  EXPECT_THAT(storage->families(), IsEmpty());
}

TEST_F(RocksDbDirectory, DeletedStateIsJustEmpty) {
  open();
  ingest("table");
  close();
  fs::remove_all(state());

  open();

  EXPECT_THAT(storage->families(), IsEmpty());
  EXPECT_EQ(read("table"), "none");
  EXPECT_THAT(told, IsEmpty());
}

// The filter of so many rows did not fit into a shard of the cache, so that each lookup read it
// whole, and took a hundred times as long as one of fewer rows.
TEST_F(RocksDbDirectory, ReadsLittleOfManyRowsToFindOne) {
  constexpr std::size_t kRows = 600'000;
  constexpr std::size_t kLookups = 100;
  open();
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kRows; ++i) keys.push_back(std::to_string(1'000'000 + i));
  std::vector<Family::Entry> rows;
  for (const auto& key : keys) rows.push_back({key, BytesView("value")});
  const auto family = storage->open_family("rows");
  ASSERT_TRUE(family);
  const auto ingested = (*family)->ingest(rows, checkpoint_at(7));
  ASSERT_TRUE(ingested) << ingested.error().message;

  const std::uint64_t before = bytes_read();
  std::string value;
  for (std::size_t i = 0; i < kLookups; ++i) {
    const auto found = (*family)->get(keys[i * (kRows / kLookups)], value);
    ASSERT_TRUE(found && *found);
  }

  EXPECT_LT((bytes_read() - before) / kLookups, 64u << 10);
}

TEST_F(RocksDbDirectory, TruncatedFileCostsItsFamilyOnly) {
  open();
  ingest("damaged");
  const auto file = files_in(state(), ".sst").at(0);
  ingest("whole");
  close();
  fs::resize_file(file, fs::file_size(file) / 2);

  open();

  EXPECT_EQ(read("whole"), "value");
  EXPECT_EQ(read("damaged"), "none");
  EXPECT_EQ((*storage->open_family("damaged"))->checkpoint().error().code, ErrorCode::kNotFound);
  EXPECT_THAT(told, ElementsAre(AllOf(HasSubstr("family damaged"), HasSubstr(file.filename()))));
  EXPECT_THAT(set_aside(), IsEmpty());
}

TEST_F(RocksDbDirectory, DeletedFileCostsItsFamilyOnly) {
  open();
  ingest("damaged");
  const auto file = files_in(state(), ".sst").at(0);
  ingest("whole");
  close();
  fs::remove(file);

  open();

  EXPECT_EQ(read("whole"), "value");
  EXPECT_EQ(read("damaged"), "none");
  EXPECT_THAT(told, SizeIs(1));
}

TEST_F(RocksDbDirectory, FlippedBitIsFoundWhenTheFamilyIsOpened) {
  open();
  ingest("damaged", std::string(100, 'x'));
  const auto file = files_in(state(), ".sst").at(0);
  ingest("whole");
  close();
  flip_byte(file, 30);  // In the only block of data, which holds the checkpoint.

  open();

  EXPECT_EQ(read("damaged"), "none");
  EXPECT_EQ(read("whole"), "value");
  EXPECT_THAT(told, ElementsAre(HasSubstr("family damaged")));
}

TEST_F(RocksDbDirectory, ReadsOfADamagedBlockAreCorrupt) {
  open();
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back(std::to_string(100'000 + i));
  std::vector<Family::Entry> entries;
  for (const auto& key : keys) entries.push_back({key, BytesView(key)});
  ASSERT_TRUE((*storage->open_family("table"))->ingest(entries, checkpoint_at(1)));
  const auto file = files_in(state(), ".sst").at(0);
  close();
  flip_byte(file, fs::file_size(file) / 2);

  open();
  const auto family = *storage->open_family("table");  // Its first block is whole.
  int corrupt = 0;
  std::string value;
  for (const auto& key : keys) {
    const auto found = family->get(key, value);
    if (!found) {
      EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
      ++corrupt;
    } else {
      EXPECT_TRUE(*found);
      EXPECT_EQ(value, key);
    }
  }
  EXPECT_GT(corrupt, 0);
  auto cursor = family->scan();
  while (cursor->valid()) cursor->next();
  EXPECT_EQ(cursor->status().error().code, ErrorCode::kCorrupt);
}

TEST_F(RocksDbDirectory, DatabaseThatDoesNotOpenIsSetAsideAndMadeAnew) {
  open();
  ingest("table");
  close();
  for (const auto& entry : fs::directory_iterator(state())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) fs::resize_file(entry.path(), 10);
  }

  open();

  EXPECT_EQ(read("table"), "none");
  EXPECT_THAT(told, ElementsAre(HasSubstr("set aside")));
  EXPECT_THAT(set_aside(), SizeIs(1));
  ingest("table");
  close();
  open();
  EXPECT_EQ(read("table"), "value");
}

TEST_F(RocksDbDirectory, OnlyTheLastDatabaseSetAsideIsKept) {
  for (int i = 0; i < 3; ++i) {
    open();
    ingest("table");
    close();
    std::ofstream(state() / "CURRENT") << "nonsense\n";
  }
  open();

  EXPECT_THAT(set_aside(), SizeIs(1));
  EXPECT_THAT(told, SizeIs(3));
}

TEST_F(RocksDbDirectory, LeftoversOfASpillAreRemovedAtOpen) {
  open();
  close();
  const auto leftover = fs::path(directory.path()) / "spill" / "9.sst";
  std::ofstream(leftover) << "half a file";

  open();

  EXPECT_FALSE(fs::exists(leftover));
  ingest("table");
  EXPECT_THAT(files_in(directory.path() + "/spill", ".sst"), IsEmpty());
}

}  // namespace
}  // namespace thalweg::test
