#include "end_to_end/shop_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "query/raw_client.h"

namespace thalweg::end_to_end {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

[[noreturn]] void throw_errno(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The test's own environment with `changes` applied.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!changes.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : changes) all.push_back(name + "=" + value);
  return all;
}

bool answers_ready(std::uint16_t port) {
  try {
    thalweg::testing::RawClient client(port);
    return client.get("/readyz", "Connection: close\r\n").status == 200;
  } catch (const std::exception&) {
    return false;  // Nobody listens yet.
  }
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "thalweg-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw_errno("mkdtemp " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(std::vector<std::string> command, std::map<std::string, std::string> environment,
                 std::filesystem::path output)
    : command_(std::move(command)),
      environment_(std::move(environment)),
      output_(std::move(output)) {}

Process::~Process() {
  if (pid_ > 0) kill_hard();
  std::error_code ignored;
  std::filesystem::remove(output_, ignored);
}

void Process::start() {
  if (pid_ > 0) throw std::logic_error(command_[0] + " is running already");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, output_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0644);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  auto environment = environment_with(environment_);
  const int error = ::posix_spawn(&pid_, command_[0].c_str(), &actions, nullptr,
                                  pointers_to(command_).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    throw_errno("start " + command_[0], error);
  }
  pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pid_fd_ < 0) throw_errno("pidfd_open");
}

void Process::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<Process::End> Process::wait_for_end(Milliseconds patience) {
  if (pid_ <= 0) return End{};
  pollfd watched{pid_fd_, POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) throw_errno("waitpid");
  ::close(pid_fd_);
  pid_ = pid_fd_ = -1;
  End end;
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

void Process::kill_hard() {
  signal(SIGKILL);
  if (!wait_for_end(std::chrono::seconds(30))) {
    throw std::runtime_error(command_[0] + " outlived SIGKILL by 30 s");
  }
}

bool Process::is_running() {
  if (pid_ <= 0) return false;
  pollfd watched{pid_fd_, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 0;
}

std::string Process::output() const {
  std::ostringstream text;
  text << std::ifstream(output_).rdbuf();
  return text.str();
}

ShopProcess::ShopProcess(const std::filesystem::path& data_dir,
                         std::map<std::string, std::string> environment,
                         std::vector<std::string> further_arguments)
    : ShopProcess(data_dir, free_port(), std::move(environment), std::move(further_arguments)) {}

ShopProcess::ShopProcess(const std::filesystem::path& data_dir, std::uint16_t port,
                         std::map<std::string, std::string> environment,
                         std::vector<std::string> further_arguments)
    : port_(port),
      process_(
          [&] {
            std::vector<std::string> command = {THALWEG_SHOP_BINARY, "--data-dir",
                                                data_dir.string(), "--listen",
                                                "127.0.0.1:" + std::to_string(port)};
            command.insert(command.end(), further_arguments.begin(), further_arguments.end());
            return command;
          }(),
          std::move(environment),
          std::filesystem::temp_directory_path() /
              ("thalweg-shop-" + std::to_string(::getpid()) + "-" + std::to_string(port))) {}

bool ShopProcess::becomes_ready(Milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (Clock::now() < deadline) {
    if (answers_ready(port_)) return true;
    // Waits for the process, so that its end is seen at once and asking goes at a bearable pace.
    if (!process_.is_running()) return false;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

void ShopProcess::start_and_wait() {
  start();
  if (!becomes_ready()) throw std::runtime_error("the shop is not ready:\n" + process_.output());
}

std::optional<int> ShopProcess::stop() {
  process_.signal(SIGTERM);
  const auto end = process_.wait_for_end(std::chrono::seconds(30));
  return end ? end->code : std::nullopt;
}

std::uint16_t free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw_errno("a free port");
  }
  ::close(listener);
  return ntohs(address.sin_port);
}

PhaseFile::PhaseFile(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw_errno("open " + path_.string());
  clear();
}

PhaseFile::~PhaseFile() { ::close(fd_); }

std::map<std::string, std::string> PhaseFile::environment() const {
  return {{"THALWEG_PHASE_FILE", path_.string()}};
}

PhaseFile::Counts PhaseFile::read() const {
  Counts counts{};  // A file just being made anew reads as shorter: nobody is in any phase.
  if (::pread(fd_, counts.data(), counts.size(), 0) < 0) throw_errno("read " + path_.string());
  return counts;
}

void PhaseFile::clear() {
  const std::array<char, 64> zeros{};
  if (::pwrite(fd_, zeros.data(), zeros.size(), 0) != static_cast<ssize_t>(zeros.size())) {
    throw_errno("clear " + path_.string());
  }
}

const char* PhaseFile::name_of(int phase) {
  static constexpr const char* kNames[kPhases] = {"processing", "commit", "spill", "restore",
                                                  "sync"};
  return kNames[phase];
}

}  // namespace thalweg::end_to_end
