// Orders as lines of files: each once, whole, and durable before anybody says so.

#include "ndjson_files.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <sstream>
#include <string>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/log_fixture.h"

namespace thalweg::shop {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;
using Written = std::expected<void, std::string>;

constexpr const char* kDay = "2026-11-22";
constexpr std::uint64_t kLarge = 64u << 20;

std::string order(const std::string& id) { return R"({"orderId":")" + id + R"(","userId":"ann"})"; }

std::future<Written> append(NdjsonFiles& files, const std::string& id,
                            const std::string& day = kDay, std::string json = {}) {
  std::promise<Written> promise;
  auto future = promise.get_future();
  files.append({.day = day,
                .order_id = id,
                .json = json.empty() ? order(id) : std::move(json),
                .done = [promise = std::move(promise)](Written written) mutable {
                  promise.set_value(std::move(written));
                }});
  return future;
}

class OrdersInFiles : public ::testing::Test {
 protected:
  std::string path_of(int number, const std::string& day = kDay) const {
    std::string digits = std::to_string(number);
    digits.insert(0, 6 - digits.size(), '0');
    return directory_ + "/date=" + day + '/' + digits + ".ndjson";
  }
  std::string text_of(int number, const std::string& day = kDay) const {
    std::ifstream file(path_of(number, day));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(int number, const std::string& text) const {
    fs::create_directories(directory_ + "/date=" + kDay);
    std::ofstream(path_of(number), std::ios::app) << text;
  }
  /// How often each line is there, in all files of all days.
  std::map<std::string, int> lines() const {
    std::map<std::string, int> lines;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      if (entry.path().extension() != ".ndjson") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) ++lines[line];
    }
    return lines;
  }

  testing::TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path() + "/made/when/needed";
};

TEST_F(OrdersInFiles, AreLinesByDay) {
  NdjsonFiles files(directory_, kLarge);
  EXPECT_TRUE(append(files, "o1").get());
  EXPECT_TRUE(append(files, "o2").get());
  EXPECT_TRUE(append(files, "o3", "2026-11-23").get());

  EXPECT_EQ(text_of(1), order("o1") + '\n' + order("o2") + '\n');
  EXPECT_EQ(text_of(1, "2026-11-23"), order("o3") + '\n');
}

TEST_F(OrdersInFiles, TakeOneLineEachHoweverTheyAreWritten) {
  NdjsonFiles files(directory_, kLarge);
  EXPECT_TRUE(
      append(files, "o1", kDay, "{\r\n  \"orderId\": \"o1\",\n  \"note\": \"a\\nb\"\n}").get());

  EXPECT_EQ(text_of(1), "{    \"orderId\": \"o1\",   \"note\": \"a\\nb\" }\n");
}

TEST_F(OrdersInFiles, AreThereOnceHoweverOftenTheyCome) {
  {
    NdjsonFiles files(directory_, kLarge);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(append(files, "o1").get());
    EXPECT_TRUE(append(files, "77", kDay, R"({"orderId":77})").get());
  }
  NdjsonFiles later(directory_, kLarge);
  EXPECT_TRUE(append(later, "o1").get());
  EXPECT_TRUE(append(later, "77", kDay, R"({"orderId":77})").get());

  EXPECT_THAT(lines(), ElementsAre(Pair(order("o1"), 1), Pair(R"({"orderId":77})", 1)));
}

TEST_F(OrdersInFiles, AreKnownOnDaysThatWereNotUsedForLong) {
  NdjsonFiles files(directory_, kLarge);
  const std::vector<std::string> days = {"2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21",
                                         "2026-11-22"};
  for (int round = 0; round < 2; ++round) {
    for (const auto& day : days) EXPECT_TRUE(append(files, "order of " + day, day).get());
  }

  EXPECT_THAT(lines(), SizeIs(5));
  EXPECT_THAT(lines(), Each(Pair(::testing::_, 1)));
}

TEST_F(OrdersInFiles, GoToTheNextFileWhenOneIsFull) {
  const std::uint64_t three = 3 * (order("o1").size() + 1);
  NdjsonFiles files(directory_, three);
  for (int i = 1; i <= 7; ++i) EXPECT_TRUE(append(files, 'o' + std::to_string(i)).get());

  EXPECT_EQ(text_of(1).size(), three);
  EXPECT_EQ(text_of(2).size(), three);
  EXPECT_EQ(text_of(3), order("o7") + '\n');
  NdjsonFiles later(directory_, three);
  for (int i = 1; i <= 8; ++i) EXPECT_TRUE(append(later, 'o' + std::to_string(i)).get());
  EXPECT_EQ(text_of(3), order("o7") + '\n' + order("o8") + '\n') << "all files are known";
}

TEST_F(OrdersInFiles, MayBeLongerThanAFile) {
  NdjsonFiles files(directory_, 10);
  EXPECT_TRUE(append(files, "o1").get());
  EXPECT_TRUE(append(files, "o2").get());

  EXPECT_EQ(text_of(1), order("o1") + '\n');
  EXPECT_EQ(text_of(2), order("o2") + '\n');
}

TEST_F(OrdersInFiles, LoseWhatACrashHasLeftOfALine) {
  put(1, order("o1") + '\n' + order("o2").substr(0, 9));
  NdjsonFiles files(directory_, kLarge);
  EXPECT_TRUE(append(files, "o2").get());

  EXPECT_EQ(text_of(1), order("o1") + '\n' + order("o2") + '\n');
}

TEST_F(OrdersInFiles, StandBesideLinesThatAreNone) {
  put(1, "nothing\n[]\n");
  NdjsonFiles files(directory_, kLarge);
  EXPECT_TRUE(append(files, "o1").get());

  EXPECT_EQ(text_of(1), "nothing\n[]\n" + order("o1") + '\n');
}

TEST_F(OrdersInFiles, AreKnownHoweverTheirLinesSayIt) {
  put(1, R"({"userId":"ann","orderId":"o1"})"
         "\n"
         R"({"orderId":"decoy","orderId":"o2"})"
         "\n"
         R"({"orderId":"decoy","order\u0049d":"o3"})"
         "\n"
         R"({"orderId":"o\u0034"})"
         "\n");
  const std::string before = text_of(1);
  NdjsonFiles files(directory_, kLarge);
  for (const char* known : {"o1", "o2", "o3", "o4"}) EXPECT_TRUE(append(files, known).get());
  EXPECT_EQ(text_of(1), before);

  EXPECT_TRUE(append(files, "decoy").get());
  EXPECT_EQ(text_of(1), before + order("decoy") + '\n');
}

TEST_F(OrdersInFiles, AreWrittenTogetherWhenManyWait) {
  fs::create_directories(directory_);
  const int lock = open((directory_ + "/.lock").c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  NdjsonFiles files(directory_, kLarge);
  std::vector<std::future<Written>> written;
  for (int i = 0; i < 1'000; ++i) written.push_back(append(files, std::to_string(i)));
  close(lock);
  for (auto& each : written) EXPECT_TRUE(each.get());

  EXPECT_THAT(files.batches(), Le(2u));
  EXPECT_THAT(lines(), SizeIs(1'000));
}

TEST_F(OrdersInFiles, AreThereOnceWithManyWritersToOneDirectory) {
  constexpr int kOrders = 300;
  std::vector<std::unique_ptr<NdjsonFiles>> writers;
  for (int i = 0; i < 3; ++i) writers.push_back(std::make_unique<NdjsonFiles>(directory_, 2'000));
  std::vector<std::future<Written>> written;
  for (int i = 0; i < kOrders; ++i) {
    for (auto& writer : writers) written.push_back(append(*writer, std::to_string(i)));
  }
  for (auto& each : written) EXPECT_TRUE(each.get());

  EXPECT_THAT(lines(), SizeIs(kOrders));
  EXPECT_THAT(lines(), Each(Pair(::testing::_, 1)));
}

TEST_F(OrdersInFiles, WaitForADirectoryThatCannotBeMade) {
  std::ofstream(temporary_.path() + "/made") << "in the way";
  NdjsonFiles files(directory_, kLarge);
  const auto written = append(files, "o1").get();
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error(), EndsWith("made/when/needed: Not a directory"));

  fs::remove(temporary_.path() + "/made");
  EXPECT_TRUE(append(files, "o1").get());
  EXPECT_EQ(text_of(1), order("o1") + '\n');
}

TEST_F(OrdersInFiles, AreAnsweredForWhenTheFilesClose) {
  std::vector<std::future<Written>> written;
  {
    NdjsonFiles files(directory_, kLarge);
    for (int i = 0; i < 100; ++i) written.push_back(append(files, std::to_string(i)));
  }
  std::size_t there = 0;
  for (auto& each : written) there += each.get() ? 1 : 0;

  EXPECT_EQ(there, fs::exists(directory_) ? lines().size() : 0);
}

/// Runs `body` in a process of its own; gives what waitpid() says of its end.
template <typename Body>
int status_of_child(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// A limit on the size of files stands for a disk that is full.
TEST_F(OrdersInFiles, AreWholeOrNotThereWhenTheDiskIsFull) {
  const int status = status_of_child([this] {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 1'000;
    setrlimit(RLIMIT_FSIZE, &limit);
    NdjsonFiles files(directory_, kLarge);
    std::string expected;
    int there = 0;
    for (; append(files, std::to_string(there)).get(); ++there) {
      expected += order(std::to_string(there)) + '\n';
    }
    const bool whole = text_of(1) == expected;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool goes_on = append(files, std::to_string(there)).get().has_value();
    return whole && goes_on ? there : 0;
  });

  ASSERT_TRUE(WIFEXITED(status));
  const auto there = static_cast<std::size_t>(WEXITSTATUS(status));
  EXPECT_GT(there, 10u);
  EXPECT_THAT(lines(), SizeIs(there + 1));
}

// Each round has a pipe of its own: what a writer still said before its end is not its successor's.
TEST_F(OrdersInFiles, StayWhenTheirWriterIsKilled) {
  for (int round = 0; round < 5; ++round) {
    int answers[2];
    ASSERT_EQ(pipe(answers), 0);
    const pid_t child = fork();
    if (child == 0) {
      NdjsonFiles files(directory_, 3'000);
      for (int i = 0;; ++i) {
        const std::string id = std::to_string(round) + '-' + std::to_string(i);
        auto first = append(files, id);
        auto second = append(files, id + "-too");
        const char done = first.get() && second.get() ? '+' : '-';
        if (write(answers[1], &done, 1) != 1) _exit(1);
      }
    }
    close(answers[1]);  // So that a writer that ended is heard of.
    char done = 0;
    for (int i = 0; i < 50; ++i) {
      ASSERT_EQ(read(answers[0], &done, 1), 1);
      ASSERT_EQ(done, '+');
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(answers[0]);
  }
  NdjsonFiles files(directory_, 3'000);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 50; ++i) {
      const std::string id = std::to_string(round) + '-' + std::to_string(i);
      EXPECT_EQ(lines()[order(id)], 1) << id;
      EXPECT_TRUE(append(files, id).get());
    }
  }

  EXPECT_THAT(lines(), Each(Pair(HasSubstr("\"userId\":\"ann\"}"), 1)));
}

}  // namespace
}  // namespace thalweg::shop
