// What a disk that is full does to the journal and to families, and how they go on.
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <sys/mount.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Checkpoint checkpoint_at(Offset offset) {
  return {offset, "cluster", "changelog", 1, kNoTimestamp};
}

/// A disk of a few megabytes, for as long as the test runs.
class TinyDisk {
 public:
  /// `below` the directory of the test, all of which is the disk unless it is named.
  explicit TinyDisk(const std::string& size, const std::string& below = {})
      : root_(directory_.path() + below) {
    fs::create_directories(root_);
    mounted_ = ::mount("tmpfs", root_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~TinyDisk() {
    if (mounted_) ::umount(root_.c_str());
  }
  bool mounted() const { return mounted_; }
  std::string path() const { return directory_.path() + "/data"; }
  void fill() { write_ballast(1u << 30); }
  void make_room() { fs::remove(root_ + "/ballast"); }

 private:
  void write_ballast(std::size_t bytes) {
    std::ofstream ballast(root_ + "/ballast", std::ios::binary);
    const std::string block(4096, 'b');
    for (std::size_t written = 0; written < bytes && ballast.write(block.data(), 4096).flush();) {
      written += block.size();
    }
  }
  TemporaryDirectory directory_;
  const std::string root_;
  bool mounted_ = false;
};

std::string numbered(int i) { return "k" + std::to_string(10'000 + i); }

WriteBatch put(const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.put(key, value);
  return batch;
}

int count(const Journal& journal) {
  int entries = 0;
  auto cursor = journal.scan("", "");
  for (; cursor->valid(); cursor->next()) ++entries;
  EXPECT_TRUE(cursor->status()) << cursor->status().error().message;
  return entries;
}

/// A journal that has taken all that its disk can take.
class FullJournal : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs privileges";
    storage = *open_rocksdb_storage(disk.path(), {.journal_segment_bytes = 1u << 20});
    while (append(put(numbered(entries), std::string(40'000, 'v')))) {
      ASSERT_TRUE(journal().sync());
      ++entries;
    }
    ASSERT_EQ(append(put("more", kMore)).error().code, ErrorCode::kNoSpace);
  }
  Journal& journal() { return storage->journal(); }
  Status append(const WriteBatch& batch) { return journal().append(batch); }
  /// Passes until there is room for more; files go when the index is on disk.
  void reclaim_until_there_is_room() {
    while (!append(put("more", kMore))) {
      const auto status = journal().reclaim();
      ASSERT_TRUE(status) << status.error().message;
    }
    const auto status = journal().sync();
    ASSERT_TRUE(status) << status.error().message;
  }

  const std::string kMore = std::string(1u << 20, 'm');
  TinyDisk disk{"64m"};
  std::unique_ptr<Storage> storage;
  int entries = 0;
};

TEST_F(FullJournal, TakesRemovalsAndNotesAndGivesTheirSpaceBack) {
  WriteBatch all;
  all.remove_range("k", "l");
  auto status = append(all);
  ASSERT_TRUE(status) << status.error().message;
  status = append(put("note", "small"));
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_TRUE(journal().sync());

  reclaim_until_there_is_room();

  EXPECT_EQ(count(journal()), 2);
}

TEST_F(FullJournal, MovesWhatLittleIsLeftOfEachSegment) {
  for (int i = 0; i < entries; ++i) {
    WriteBatch batch;
    if (i % 4 != 0) batch.remove(numbered(i));
    ASSERT_TRUE(append(batch));
  }
  ASSERT_TRUE(journal().sync());

  reclaim_until_there_is_room();

  EXPECT_EQ(count(journal()), (entries + 3) / 4 + 1);
}

/// What a machine that stops now leaves of the log: a copy counts if nothing moved meanwhile.
void copy_log(const fs::path& from, const fs::path& to) {
  const auto files = [&from] {
    std::map<fs::path, std::uintmax_t> sizes;
    std::error_code gone;
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
      sizes[entry.path()] = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
    }
    return sizes;
  };
  std::error_code error;
  do {
    fs::remove_all(to, error);
    const auto before = files();
    fs::copy(from, to, fs::copy_options::recursive, error);
    if (!error && before == files()) return;
  } while (true);
}

class FullIndex : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs privileges";
    storage = *open_rocksdb_storage(disk.path(), options);
    disk.fill();
    // The first save fails in the background; what comes before that is known is not synced.
    while (append()) {
      if (++entries != 20) continue;
      ASSERT_TRUE(storage->journal().sync());
    }
    disk.make_room();
  }
  Status append() {
    return storage->journal().append(put(numbered(entries), std::string(2'000, 'v')));
  }

  TinyDisk disk{"4m", "/data/log/index"};
  const RocksDbStorageOptions options{.journal_segment_bytes = 16'384,
                                      .journal_replay_bytes = 16'384};
  std::unique_ptr<Storage> storage;
  int entries = 0;
};

TEST_F(FullIndex, IsNeverSavedAheadOfTheSegments) {
  ASSERT_TRUE(append());
  TemporaryDirectory crashed;
  copy_log(disk.path() + "/log", crashed.path() + "/log");

  const auto found = open_rocksdb_storage(crashed.path(), options);

  ASSERT_TRUE(found) << found.error().message;
  EXPECT_GE(count((*found)->journal()), 20);
}

TEST_F(FullIndex, IsSavedOnceThereIsRoom) {
  WriteBatch all;
  all.remove_range("k", "l");
  const auto status = storage->journal().append(all);
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_TRUE(append());
  const auto is_there = [this] { return fs::exists(disk.path() + "/log/segments/0000000001.log"); };

  // A file goes only when an index without it is on disk.
  while (is_there()) {
    ASSERT_TRUE(storage->journal().sync());
    ASSERT_TRUE(storage->journal().reclaim());
  }

  storage.reset();
  storage = *open_rocksdb_storage(disk.path(), options);
  EXPECT_EQ(count(storage->journal()), 1);
}

TEST(FullDisk, FamilyAndJournalSaySoAndGoOnOnceThereIsRoom) {
  TinyDisk disk("96m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs privileges";
  auto storage = *open_rocksdb_storage(disk.path());
  const auto family = *storage->open_family("table");
  ASSERT_TRUE(family->ingest({{"before", "1"}}, checkpoint_at(1)));
  WriteBatch before;
  before.put("before", "1");
  ASSERT_TRUE(storage->journal().append(before));
  ASSERT_TRUE(storage->journal().sync());
  disk.fill();

  const std::string large(8u << 20, 'x');
  const auto ingested = family->ingest({{"during", BytesView(large)}}, checkpoint_at(2));
  ASSERT_FALSE(ingested);
  EXPECT_EQ(ingested.error().code, ErrorCode::kNoSpace) << ingested.error().message;
  EXPECT_THAT(ingested.error().message, HasSubstr(disk.path()));
  WriteBatch during;
  during.put("during", large);
  auto status = storage->journal().append(during);
  if (status) status = storage->journal().sync();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNoSpace) << status.error().message;
  std::string value;
  EXPECT_TRUE(*family->get("before", value));
  EXPECT_EQ(family->checkpoint()->next_offset, 1);

  disk.make_room();
  WriteBatch after;
  after.put("after", "2");
  status = storage->journal().append(after);
  ASSERT_TRUE(status) << status.error().message;
  status = storage->journal().sync();
  ASSERT_TRUE(status) << status.error().message;
  status = family->ingest({{"after", "2"}}, checkpoint_at(3));
  ASSERT_TRUE(status) << status.error().message;
}

TEST(FullDisk, JournalWhoseLogCouldNotBeWrittenKeepsItsBatchesUntilItCan) {
  TinyDisk disk("30m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs privileges";
  auto storage = *open_rocksdb_storage(disk.path());
  Journal& journal = storage->journal();
  WriteBatch synced;
  synced.put("synced", "1");
  ASSERT_TRUE(journal.append(synced));
  ASSERT_TRUE(journal.sync());
  disk.fill();

  WriteBatch waiting;
  waiting.put("waiting", std::string(500'000, 'x'));
  waiting.remove("synced");
  ASSERT_TRUE(journal.append(waiting));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(journal.sync().error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(journal.append(waiting).error().code, ErrorCode::kNoSpace);
  std::string value;
  EXPECT_TRUE(*journal.get("waiting", value)) << "what was appended stays visible";

  auto cursor = journal.scan("a", "z");
  disk.make_room();
  const auto status = journal.sync();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(cursor->key(), "waiting");
  EXPECT_EQ(cursor->value().size(), 500'000U);
  cursor.reset();
  storage.reset();
  storage = *open_rocksdb_storage(disk.path());
  EXPECT_TRUE(*storage->journal().get("waiting", value));
  EXPECT_EQ(value.size(), 500'000U);
  EXPECT_FALSE(*storage->journal().get("synced", value));
}

}  // namespace
}  // namespace thalweg::test
