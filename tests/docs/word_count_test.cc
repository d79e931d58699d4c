// The example of the README, run as a reader would run it.

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace thalweg {
namespace {

namespace fs = std::filesystem;

// The program in a directory of its own, with a pipe at either end.
class RunningWordCount {
 public:
  explicit RunningWordCount(const fs::path& directory) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      if (chdir(directory.c_str()) == 0) execl(WORD_COUNT, WORD_COUNT, nullptr);
      _exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }

  ~RunningWordCount() {
    if (in_ >= 0) ::close(in_);
    if (out_ >= 0) ::close(out_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  void type(const std::string& line) {
    const std::string text = line + "\n";
    ASSERT_EQ(write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  // Whether the program prints the line, now or within a minute.
  bool prints(const std::string& line) {
    while (!("\n" + printed_).contains("\n" + line + "\n")) {
      pollfd readable{.fd = out_, .events = POLLIN, .revents = 0};
      char buffer[4096];
      if (poll(&readable, 1, 60'000) <= 0) return false;
      const auto size = read(out_, buffer, sizeof buffer);
      if (size <= 0) return false;
      printed_.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }

  // Ends its input and returns its exit code.
  int finish() {
    ::close(in_);
    in_ = -1;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string printed_;
};

class WordCountExample : public ::testing::Test {
 protected:
  WordCountExample()
      : directory_(fs::path(::testing::TempDir()) / ("word_count_" + std::to_string(getpid()))) {
    fs::create_directories(directory_);
  }
  ~WordCountExample() override { fs::remove_all(directory_); }

  fs::path directory_;
};

TEST_F(WordCountExample, CountsWhatIsTyped) {
  RunningWordCount program(directory_);

  program.type("to be or not to be");

  EXPECT_TRUE(program.prints("be 2"));
  EXPECT_TRUE(program.prints("not 1"));
  EXPECT_EQ(program.finish(), 0);
}

TEST_F(WordCountExample, GoesOnWhereItEnded) {
  {
    RunningWordCount first(directory_);
    first.type("river");
    ASSERT_TRUE(first.prints("river 1"));
    ASSERT_EQ(first.finish(), 0);
  }
  RunningWordCount second(directory_);

  second.type("river");

  EXPECT_TRUE(second.prints("river 2"));
  EXPECT_EQ(second.finish(), 0);
}

}  // namespace
}  // namespace thalweg
