#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace thalweg::end_to_end {

/// A directory of its own for one test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A program under test: started, watched and ended, with all it wrote kept in a file while this
/// lives.
class Process {
 public:
  using Milliseconds = std::chrono::milliseconds;
  /// How a process ended: its exit code, or the signal that ended it.
  struct End {
    std::optional<int> code;
    std::optional<int> signal;
  };

  Process(std::vector<std::string> command, std::map<std::string, std::string> environment,
          std::filesystem::path output);
  ~Process();  ///< Kills what still runs.
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Throws std::system_error if the program cannot be started.
  void start();
  void signal(int number);
  /// The end, if it comes within `patience`.
  std::optional<End> wait_for_end(Milliseconds patience);
  /// SIGKILL; returns when the process is gone.
  void kill_hard();
  bool is_running();
  /// Everything written to stdout and stderr by all starts.
  std::string output() const;

 private:
  std::vector<std::string> command_;
  std::map<std::string, std::string> environment_;
  std::filesystem::path output_;
  pid_t pid_ = -1;
  int pid_fd_ = -1;
};

/// The shop, as its user starts it: a data directory, a port of its own, the environment.
class ShopProcess {
 public:
  using Milliseconds = Process::Milliseconds;

  /// `environment` is added to the test's own.
  explicit ShopProcess(const std::filesystem::path& data_dir,
                       std::map<std::string, std::string> environment = {},
                       std::vector<std::string> further_arguments = {});

  Process& process() { return process_; }
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  void start() { process_.start(); }
  /// Whether GET /readyz answers 200 before `patience` or the process ends.
  bool becomes_ready(Milliseconds patience = std::chrono::seconds(60));
  /// Start and become ready; throws std::runtime_error with the shop's output if it does not.
  void start_and_wait();
  /// SIGTERM; the exit code, or nullopt if it did not end in 30 seconds.
  std::optional<int> stop();

 private:
  ShopProcess(const std::filesystem::path& data_dir, std::uint16_t port,
              std::map<std::string, std::string> environment,
              std::vector<std::string> further_arguments);

  std::uint16_t port_;
  Process process_;
};

/// A port on loopback that nobody listens on.
std::uint16_t free_port();

/// The file in which the shop's threads count themselves in and out of phases. Readable at any
/// time, and after a kill it still shows the phases of the moment of death.
class PhaseFile {
 public:
  enum Phase { kProcessing, kCommit, kSpill, kRestore, kSync, kPhases };
  using Counts = std::array<std::uint8_t, kPhases>;

  explicit PhaseFile(std::filesystem::path path);
  ~PhaseFile();
  PhaseFile(const PhaseFile&) = delete;
  PhaseFile& operator=(const PhaseFile&) = delete;

  /// What the shop needs in its environment.
  std::map<std::string, std::string> environment() const;
  Counts read() const;
  void clear();
  static const char* name_of(int phase);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace thalweg::end_to_end
