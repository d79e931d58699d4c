#include "child_process.h"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "exit_codes.h"

namespace thalweg::cli {
namespace {

namespace fs = std::filesystem;

/// In the child, between fork and exec: only what is allowed there. Tells `failed` the errno.
[[noreturn]] void become(char* const* command, const char* log, pid_t parent, int failed) {
  // A group of its own: Ctrl-C comes to the parent, and is passed on once.
  ::setpgid(0, 0);
  // What the parent ignores would stay ignored, and what it catches would be lost here.
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // It died before this was asked for.
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (out >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 && ::dup2(out, STDERR_FILENO) >= 0) {
    if (out > STDERR_FILENO) ::close(out);
    ::execv(command[0], command);
  }
  const int error = errno;
  [[maybe_unused]] const auto told = ::write(failed, &error, sizeof error);
  ::_exit(1);
}

/// The socket that listens on the port of 127.0.0.1, by the number that the system gives it.
std::string listener_of(std::uint16_t port) {
  const std::string wanted = fmt::format("{:08X}:{:04X}", htonl(INADDR_LOOPBACK), port);
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    if (local == wanted && state == "0A") return inode;
  }
  return {};
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int failed[2];
  const pid_t parent = ::getpid();
  if (::pipe2(failed, O_CLOEXEC) == 0) {
    pid_ = ::fork();
    if (pid_ == 0) become(arguments.data(), log.c_str(), parent, failed[1]);
  }
  int error = errno;
  if (pid_ > 0) {
    ::close(failed[1]);
    // Nothing comes when the program was started: that closes the pipe.
    const bool started = ::read(failed[0], &error, sizeof error) != sizeof error;
    ::close(failed[0]);
    if (started) return;
    ::waitpid(pid_, nullptr, 0);
  }
  throw CommandError(kFailed, "cannot start " + command[0] + ": " + std::strerror(error));
}

ChildProcess::~ChildProcess() {
  if (!is_running()) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

bool ChildProcess::is_running() {
  if (!ended_) ended_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
  return !ended_;
}

bool ChildProcess::listens(std::uint16_t port) const {
  const std::string inode = listener_of(port);
  if (inode.empty()) return false;
  std::error_code error;
  for (fs::directory_iterator file("/proc/" + std::to_string(pid_) + "/fd", error), end;
       !error && file != end; file.increment(error)) {
    std::error_code closed;  // Files come and go.
    if (fs::read_symlink(file->path(), closed) == "socket:[" + inode + "]") return true;
  }
  return false;
}

}  // namespace thalweg::cli
