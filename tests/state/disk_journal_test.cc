// What the journal's files go through: torn ends, missing and damaged files, space given back,
// crashes at any of it.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/journal_world.h"

namespace thalweg::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using DiskJournal = JournalWorld;

void carry_out(const WriteBatch& batch, Content& content) {
  using Kind = WriteBatch::Operation::Kind;
  for (const auto& operation : batch.operations()) {
    if (operation.kind == Kind::kPut) {
      content[operation.key] = operation.value;
    } else if (operation.kind == Kind::kRemove) {
      content.erase(operation.key);
    } else if (operation.key < operation.value) {
      content.erase(content.lower_bound(operation.key), content.lower_bound(operation.value));
    }
  }
}

TEST_F(DiskJournal, ValuesOfAllSizesAreReadBeforeAndAfterTheyAreWritten) {
  open();
  Content content;
  for (const std::size_t size : {0, 1, 64, 65, 1'000, 4'096, 100'000}) {
    const auto key = "key " + std::to_string(size);
    append(put(key, std::string(size, 'v')));
    content[key] = std::string(size, 'v');
  }

  EXPECT_EQ(content_of(journal()), content);
  sync();
  EXPECT_EQ(content_of(journal()), content);
  EXPECT_EQ(get("key 100000").size(), 100'000U);
  close();
  open();
  EXPECT_EQ(content_of(journal()), content);
}

TEST_F(DiskJournal, ACrashLosesAtMostWhatWasNotSynced) {
  open();
  append_and_sync(put("synced", std::string(200, 's')));
  append(put("not synced", "1"));

  crash();
  open();

  EXPECT_EQ(content_of(journal()), (Content{{"synced", std::string(200, 's')}}));
}

TEST_F(DiskJournal, OfATornEndAPrefixIsLeft) {
  for (std::uint32_t seed = 0; seed < 25; ++seed) {
    std::mt19937 random(seed);
    place_ = std::make_unique<TemporaryDirectory>();
    open();
    std::vector<Content> after{{}};
    const auto append_some = [&](int batches) {
      for (int i = 0; i < batches; ++i) {
        WriteBatch batch;
        batch.put("k" + std::to_string(random() % 20), std::string(random() % 900, 'v'));
        if (random() % 4 == 0) batch.remove("k" + std::to_string(random() % 20));
        append(batch);
        carry_out(batch, after.emplace_back(after.back()));
      }
      sync();
    };
    append_some(10);
    const std::size_t surely = after.size() - 1;
    const std::uintmax_t certain = disk_bytes();
    append_some(20);
    crash();
    // As if the second sync had been under way: some of its bytes are there, some are wrong.
    std::uintmax_t left = certain + random() % (disk_bytes() - certain + 1);
    for (const auto& file : segments()) {
      const auto kept = std::min(left, fs::file_size(file));
      if (kept < fs::file_size(file)) fs::resize_file(file, kept);
      left -= kept;
    }
    if (random() % 2 == 0) {
      std::ofstream(segments().back(), std::ios::app) << std::string(random() % 100, '\0');
    }

    open();

    const Content found = content_of(journal());
    const auto is_found = [&](std::size_t i) { return after[i] == found; };
    std::size_t prefix = after.size();
    while (prefix-- > surely && !is_found(prefix)) {
    }
    ASSERT_GE(prefix + 1, surely + 1) << "seed " << seed << " lost what was synced";
    ASSERT_TRUE(is_found(prefix)) << "seed " << seed;
    // It goes on from there, and what it writes lasts.
    append_and_sync(put("more", std::string(5'000, 'm')));
    crash();
    open();
    EXPECT_EQ(get("more").size(), 5'000U) << "seed " << seed;
    close();
  }
}

TEST_F(DiskJournal, ADamagedFrameWithSegmentsBehindItIsAnErrorAndNothingIsLost) {
  open();
  for (int i = 0; i < 10; ++i) append_and_sync(put("k" + std::to_string(i), std::string(900, 'v')));
  crash();
  const auto before = segments();
  ASSERT_GE(before.size(), 3U);
  flip_byte(before[1], 100);

  expect_refusal(before[1].filename());
  EXPECT_EQ(segments(), before);
  flip_byte(before[1], 100);
  open();
  EXPECT_EQ(content_of(journal()).size(), 10U);
}

TEST_F(DiskJournal, ADamagedHeaderOrAMissingSegmentBeforeOthersIsAnErrorAndNothingIsLost) {
  open();
  for (int i = 0; i < 10; ++i) append_and_sync(put("k" + std::to_string(i), std::string(900, 'v')));
  crash();
  const auto before = segments();
  flip_byte(before.back(), 13);
  expect_refusal(before.back().filename());
  flip_byte(before.back(), 13);

  fs::rename(before[1], log() / "aside");
  expect_refusal(before[1].filename());
  fs::rename(log() / "aside", before[1]);

  open();
  EXPECT_EQ(content_of(journal()).size(), 10U);
}

TEST_F(DiskJournal, SegmentsWithoutAFrameBehindATornOneAreACrashsTail) {
  open();
  append_and_sync(put("synced", std::string(900, 's')));
  for (int i = 0; i < 10; ++i) append(put("k" + std::to_string(i), std::string(900, 'v')));
  crash();  // The files were made, and nothing of the second sync was written to them.
  ASSERT_GE(segments().size(), 3U);
  std::ofstream(segments()[0], std::ios::app) << std::string(100, 'v');
  std::ofstream(segments()[1], std::ios::app) << std::string(100, '\0');
  fs::resize_file(segments().back(), 0);

  open();

  EXPECT_EQ(content_of(journal()), (Content{{"synced", std::string(900, 's')}}));
  EXPECT_EQ(segments().size(), 1U);
}

TEST_F(DiskJournal, ASegmentThatCannotBeOpenedIsAnErrorAndNothingIsLost) {
  open();
  for (int i = 0; i < 10; ++i) append_and_sync(put("k" + std::to_string(i), std::string(900, 'v')));
  crash();
  const auto before = segments();
  fs::rename(before[1], log() / "aside");
  fs::create_directory(before[1]);  // As good as a system that is out of descriptors.

  const auto opened = try_open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kIo);
  EXPECT_THAT(opened.error().message, HasSubstr(before[1].string()));
  EXPECT_EQ(segments(), before);
  fs::remove(before[1]);
  fs::rename(log() / "aside", before[1]);
  open();
  EXPECT_EQ(content_of(journal()).size(), 10U);
}

TEST_F(DiskJournal, AfterACleanEndNothingIsReadTwice) {
  open();
  for (int i = 0; i < 20; ++i) append(put("k" + std::to_string(i), std::string(900, 'v')));
  close();
  // The frames are no longer needed to find the values: not even their checksums are looked at.
  flip_byte(segments().front(), 21);

  open();

  EXPECT_EQ(content_of(journal()).size(), 20U);
}

TEST_F(DiskJournal, AValueThatIsNotWhatWasWrittenIsAnErrorThatNamesTheFile) {
  open();
  append(put("key", std::string(1'000, 'v')));
  close();
  const auto file = segments().front();
  flip_byte(file, 500);
  open();

  std::string value;
  const auto found = journal().get("key", value);
  const auto cursor = journal().scan("", "");

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(found.error().message, HasSubstr(file.string()));
  EXPECT_EQ(cursor->value(), "");
  EXPECT_FALSE(cursor->valid());
  EXPECT_EQ(cursor->status().error().code, ErrorCode::kCorrupt);
}

TEST_F(DiskJournal, AMissingFileIsAnErrorWithItsName) {
  open();
  for (int i = 0; i < 20; ++i) append(put("k" + std::to_string(i), std::string(900, 'v')));
  close();
  const auto file = segments()[1];
  fs::remove(file);

  expect_refusal(file.filename());
}

TEST_F(DiskJournal, AFileThatIsShorterThanItWasIsAnErrorWithItsName) {
  open();
  append(put("key", std::string(1'000, 'v')));
  close();
  const auto file = segments().front();
  fs::resize_file(file, fs::file_size(file) / 2);

  expect_refusal(file.filename());
}

TEST_F(DiskJournal, ADamagedIndexIsAnErrorAndIsLeftAlone) {
  open();
  append(put("key", "value"));
  close();
  std::ofstream(log() / "index" / "CURRENT") << "nonsense\n";

  expect_refusal("index");
  expect_refusal("index");
}

TEST_F(DiskJournal, ALogOfAnEarlierVersionIsNotTakenForAnEmptyOne) {
  fs::create_directories(log());
  std::ofstream(log() / "CURRENT") << "MANIFEST-000005\n";

  expect_refusal("earlier version");
}

TEST_F(DiskJournal, AnIndexThatIsGoneIsMadeAgainAsLongAsAllSegmentsAreThere) {
  open();
  append(put("key", std::string(1'000, 'v')));
  close();
  fs::remove_all(log() / "index");

  open();

  EXPECT_EQ(get("key").size(), 1'000U);
  close();
  fs::remove_all(log() / "index");
  fs::rename(segments().front(), log() / "segments" / "0000000007.log");
  expect_refusal("index");
}

TEST_F(DiskJournal, SpaceOfWhatWasOverwrittenIsGivenBack) {
  open(16'384);
  append(put("old", std::string(600, 'o')));
  for (int i = 0; i < 400; ++i) append_and_sync(put("new", std::string(600, 'n')));
  const auto before = disk_bytes();

  reclaim();
  // Files go at the next pass, when the index is on disk.
  while (disk_bytes() > before / 10) reclaim();

  EXPECT_EQ(get("old"), std::string(600, 'o'));
  EXPECT_EQ(get("new"), std::string(600, 'n'));
  crash();
  open();
  EXPECT_EQ(content_of(journal()).size(), 2U);
}

TEST_F(DiskJournal, ACursorReadsWhatHasBeenReclaimed) {
  open();
  for (int i = 0; i < 20; ++i) append(put("k" + std::to_string(i), std::string(900, 'v')));
  sync();
  const auto cursor = journal().scan("", "");
  WriteBatch all;
  all.remove_range("k", "l");
  append(all);
  for (int i = 0; i < 20; ++i) append(put("other", std::string(900, 'v')));
  sync();
  const auto files = segments().size();
  while (segments().size() == files) reclaim();

  int left = 0;
  for (; cursor->valid(); cursor->next(), ++left) EXPECT_EQ(cursor->value().size(), 900U);
  EXPECT_EQ(left, 20);
}

// Random lives: batches, syncs, passes, ends and crashes, compared with a map.
TEST_F(DiskJournal, HoldsWhatAMapHoldsThroughAnyLife) {
  for (std::uint32_t seed = 0; seed < 15; ++seed) {
    std::mt19937 random(seed);
    const std::uint64_t replay = random() % 2 == 0 ? 6'000 : 60'000;
    place_ = std::make_unique<TemporaryDirectory>();
    open(replay);
    Content now;
    Content synced;
    const auto key = [&] { return "k" + std::to_string(10 + random() % 50); };
    for (int step = 0; step < 300; ++step) {
      const auto kind = random() % 100;
      if (kind < 80) {
        WriteBatch batch;
        for (auto left = random() % 4 + 1; left > 0; --left) {
          batch.put(key(), std::string(random() % 700, static_cast<char>('a' + random() % 26)));
        }
        if (random() % 5 == 0) batch.remove(key());
        if (random() % 10 == 0) batch.remove_range(key(), key());
        if (random() % 10 == 0) batch.put(key(), std::string(random() % 200, 'z'));
        append(batch);
        carry_out(batch, now);
      } else if (kind < 90) {
        sync();
        synced = now;
      } else if (kind < 95) {
        reclaim();
      } else if (kind < 97) {
        close();
        open(replay);
        synced = now;
      } else if (kind == 97) {
        sync();
        synced = now;
        crash();
        open(replay);
      }
      if (step % 50 == 0) {
        ASSERT_EQ(content_of(journal()), now) << "seed " << seed << ", step " << step;
      }
    }
    ASSERT_EQ(content_of(journal()), now) << "seed " << seed;
    sync();
    crash();
    open(replay);
    ASSERT_EQ(content_of(journal()), now) << "seed " << seed << ", at the end";
    close();
  }
}

TEST_F(DiskJournal, ServesReadersWhileItIsWrittenSyncedAndReclaimed) {
  open(32'768);
  append(put("constant", std::string(500, 'c')));
  std::atomic<bool> done = false;
  std::thread syncs([&] {
    while (!done) sync();
  });
  std::thread reclaims([&] {
    while (!done) reclaim();
  });
  std::thread reads([&] {
    while (!done) {
      EXPECT_EQ(get("constant"), std::string(500, 'c'));
      auto cursor = journal().scan("k", "l");
      for (; cursor->valid(); cursor->next()) {
        const BytesView value = cursor->value();
        EXPECT_EQ(value, std::string(value.size(), value.front()));
      }
      EXPECT_TRUE(cursor->status());
    }
  });
  for (int i = 0; i < 3'000; ++i) {
    append(put("k" + std::to_string(i % 30), std::string(static_cast<std::size_t>(100 + i % 400),
                                                         static_cast<char>('a' + i % 26))));
  }
  done = true;
  for (auto* thread : {&syncs, &reclaims, &reads}) thread->join();
  EXPECT_EQ(content_of(journal()).size(), 31U);
}

}  // namespace
}  // namespace thalweg::test
