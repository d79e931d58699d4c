// Damage and a crash's torn end, told from each other by what the frames behind them know.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>

#include <thalweg/schemas/internal/crc32c.h>

#include "state/big_endian.h"
#include "state/journal_frame.h"
#include "state/journal_world.h"

namespace thalweg::test {
namespace {

namespace fs = std::filesystem;
using internal::FrameReader;
using internal::JournalPosition;

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void overwrite(const fs::path& file, std::uintmax_t at, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(at));
  stream << bytes;
}

class JournalDamage : public JournalWorld {
 protected:
  /// Several fit into a segment.
  static WriteBatch batch(int i) { return put("k" + std::to_string(i), std::string(300, 'v')); }
  void append_up_to(int end) {
    for (; appended_ < end; ++appended_) append(batch(appended_));
  }
  void sync_each_up_to(int end) {
    while (appended_ < end) append_and_sync(batch(appended_++));
  }
  /// All in one segment, and synced at the end.
  void append_while_syncs_go_on() {
    options_.journal_segment_bytes = 64u << 20;
    options_.journal_replay_bytes = 1u << 30;
    storage_ = *try_open();
    std::atomic<bool> done = false;
    std::atomic<int> synced = 0;
    std::thread syncs([&] {
      for (; !done; ++synced) sync();
    });
    while (synced < 10 && appended_ < 20'000) append_up_to(appended_ + 1);
    done = true;
    syncs.join();
    sync();
  }
  static Content batches(int end) {
    Content content;
    for (int i = 0; i < end; ++i) content["k" + std::to_string(i)] = std::string(300, 'v');
    return content;
  }

  int appended_ = 0;
};

TEST_F(JournalDamage, BeforeTheLastSyncIsAnErrorAndNothingIsRemoved) {
  open();
  sync_each_up_to(5);
  const auto known_to_be_synced = disk_bytes();
  sync_each_up_to(6);
  crash();
  ASSERT_EQ(segments().size(), 1U);
  const auto file = segments().front();
  const std::string whole = bytes_of(file);

  for (std::uintmax_t at = 20; at + 16 <= known_to_be_synced; at += 110) {
    overwrite(file, at, std::string(16, '\xff'));
    const std::string damaged = bytes_of(file);
    expect_refusal(file.string() + " is damaged at byte ");
    ASSERT_EQ(bytes_of(file), damaged) << "damaged at " << at;
    overwrite(file, at, whole.substr(at, 16));
  }

  open();
  EXPECT_EQ(content_of(journal()), batches(6));
}

TEST_F(JournalDamage, IsFoundWhereverASyncHasEverBeen) {
  open();
  sync_each_up_to(2);
  crash();
  open();  // What is there is synced again before more is written.
  append_up_to(4);
  sync();
  crash();
  flip_byte(segments().front(), 100);

  expect_refusal("is damaged at byte 20;");

  flip_byte(segments().front(), 100);
  open();
  EXPECT_EQ(content_of(journal()), batches(4));
}

TEST_F(JournalDamage, ATornEndIsCutEvenWhereLaterFramesOfItAreWhole) {
  for (const int hole : {2, 4}) {
    place_ = std::make_unique<TemporaryDirectory>();
    appended_ = 0;
    open();
    sync_each_up_to(2);
    const auto frame_bytes = (disk_bytes() - 20) / 2;
    const auto hole_at = 20 + static_cast<std::uintmax_t>(hole) * frame_bytes;
    append_up_to(8);
    sync();
    crash();
    ASSERT_EQ(segments().size(), 1U);
    // As if the second sync had been under way: a later page was on disk, this one was not.
    overwrite(segments().front(), hole_at, std::string(frame_bytes, '\0'));

    open();

    EXPECT_EQ(content_of(journal()), batches(hole));
    EXPECT_EQ(disk_bytes(), hole_at);
    // What was behind the hole does not come back behind what is written into it.
    append_and_sync(put("more", "m"));
    Content expected = batches(hole);
    expected["more"] = "m";
    crash();
    open();
    EXPECT_EQ(content_of(journal()), expected);
    close();
  }
}

TEST_F(JournalDamage, OfTheLastSyncCannotBeToldFromATornEnd) {
  open();
  sync_each_up_to(3);
  const auto last = disk_bytes();
  sync_each_up_to(4);
  crash();
  flip_byte(segments().front(), last + 50);

  open();

  EXPECT_EQ(content_of(journal()), batches(3));
}

TEST_F(JournalDamage, ATornBeginningOfTheNextSegmentIsACrashs) {
  open();
  while (segments().size() < 2) append_up_to(appended_ + 1);
  const int first_of_next = appended_ - 1;
  append_up_to(appended_ + 5);
  sync();
  crash();
  ASSERT_EQ(segments().size(), 2U);
  overwrite(segments().back(), 0, std::string(512, '\0'));

  open();

  EXPECT_EQ(content_of(journal()), batches(first_of_next));
  EXPECT_EQ(segments().size(), 1U);
}

TEST_F(JournalDamage, OfASyncedBeginningOfTheNextSegmentIsAnErrorAndNothingIsRemoved) {
  open();
  while (segments().size() < 2) sync_each_up_to(appended_ + 1);
  sync_each_up_to(appended_ + 5);
  crash();
  const auto before = segments();
  ASSERT_EQ(before.size(), 2U);
  const std::string whole = bytes_of(before.back());
  overwrite(before.back(), 0, std::string(512, '\0'));

  expect_refusal(before.back().filename());

  EXPECT_EQ(segments(), before);
  overwrite(before.back(), 0, whole.substr(0, 512));
  open();
  EXPECT_EQ(content_of(journal()), batches(appended_));
}

TEST_F(JournalDamage, IsKnownByAnyFrameOfALaterSegment) {
  open();
  while (segments().size() < 2) append_up_to(appended_ + 1);
  append_up_to(appended_ + 2);
  sync();
  crash();
  const auto before = segments();
  ASSERT_EQ(before.size(), 2U);
  for (const auto& file : before) flip_byte(file, 100);  // The first frame of each.

  expect_refusal(before.front().filename());

  EXPECT_EQ(segments(), before);
  for (const auto& file : before) flip_byte(file, 100);
  open();
  EXPECT_EQ(content_of(journal()), batches(appended_));
}

TEST_F(JournalDamage, IsFoundInWhatWasAppendedWhileSyncsWentOn) {
  append_while_syncs_go_on();
  const auto synced = disk_bytes();
  sync_each_up_to(appended_ + 1);
  crash();
  ASSERT_EQ(segments().size(), 1U);
  const auto file = segments().front();

  for (const auto at : {std::uintmax_t{100}, synced / 2, synced - 100}) {
    flip_byte(file, at);
    expect_refusal(file.string() + " is damaged at byte ");
    flip_byte(file, at);
  }

  storage_ = *try_open();
  EXPECT_EQ(content_of(journal()), batches(appended_));
}

TEST_F(JournalDamage, TheFirstFrameOfEachSyncTellsOfTheOneBefore) {
  append_while_syncs_go_on();
  crash();
  const std::string bytes = bytes_of(segments().front()).substr(20);

  FrameReader frames(bytes, {1, 20});
  std::set<std::uint32_t> syncs;
  while (frames.next()) {
    const auto begin = static_cast<std::uint32_t>(20 + frames.begin());
    const auto header = BytesView(bytes).substr(frames.begin(), internal::kFrameHeaderBytes);
    const auto durable = internal::durable_by_frames(header, {1, begin});
    ASSERT_TRUE(durable);
    if (*durable == begin) syncs.insert(begin);
    ASSERT_TRUE(syncs.contains(*durable)) << "the frame at byte " << begin;
  }
  EXPECT_EQ(frames.end(), bytes.size());
}

TEST_F(JournalDamage, ALogOfAnEarlierFormatIsRefusedAndLeftAlone) {
  std::string segment = "THWJRNL1";
  internal::append_big_endian(std::uint32_t{1}, segment);
  internal::append_big_endian(std::uint32_t{0}, segment);
  internal::append_big_endian(internal::crc32c(segment), segment);
  segment += "frames of format 1";
  fs::create_directories(log() / "segments");
  const auto file = log() / "segments" / "0000000001.log";
  std::ofstream(file, std::ios::binary) << segment;

  expect_refusal("0000000001.log has format 1, and this program reads format 2");

  EXPECT_EQ(bytes_of(file), segment);
}

TEST(JournalFrame, IsOneOnlyWhereItWasWritten) {
  const JournalPosition at{7, 500};
  std::string frame;
  append_frame(put("key", "value"), at, 400, frame, [](const auto&, std::size_t) {});

  EXPECT_TRUE(FrameReader(frame, at).next());
  EXPECT_FALSE(FrameReader(frame, {7, 501}).next());
  EXPECT_FALSE(FrameReader(frame, {8, 500}).next());
}

TEST(JournalFrame, IsFoundAmongOtherBytesAndTellsWhatIsDurable) {
  const std::string noise = "noise";
  std::string bytes = noise;
  const auto add = [&](std::uint32_t durable) {
    const JournalPosition at{7, 500 + static_cast<std::uint32_t>(bytes.size())};
    append_frame(put("key", "value"), at, durable, bytes, [](const auto&, std::size_t) {});
    bytes += noise;
  };
  EXPECT_EQ(internal::durable_by_frames(bytes, {7, 500}), std::nullopt);
  add(0);
  EXPECT_EQ(internal::durable_by_frames(bytes, {7, 500}), 0U);
  add(300);
  add(200);
  EXPECT_EQ(internal::durable_by_frames(bytes, {7, 500}), 300U);
  EXPECT_EQ(internal::durable_by_frames(bytes, {7, 499}), std::nullopt);
  // Its beginning says it, whatever became of the rest.
  const std::size_t begin = noise.size() + internal::kFrameHeaderBytes;
  EXPECT_EQ(internal::durable_by_frames(BytesView(bytes).substr(0, begin), {7, 500}), 0U);
  EXPECT_EQ(internal::durable_by_frames(BytesView(bytes).substr(0, begin - 1), {7, 500}),
            std::nullopt);
}

TEST(JournalFrame, IsToldOfASyncThatEndsBeforeItIsWritten) {
  const JournalPosition at{7, 500};
  std::string frames;
  append_frame(put("key", "value"), at, 300, frames, [](const auto&, std::size_t) {});

  internal::set_durable(at, 500, frames);

  EXPECT_EQ(internal::durable_by_frames(frames, at), 500U);
  EXPECT_TRUE(FrameReader(frames, at).next());
}

}  // namespace
}  // namespace thalweg::test
