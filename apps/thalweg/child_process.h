#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace thalweg::cli {

/// A program that runs beside this one and ends with it: SIGTERM when this object goes, and when
/// this process dies of whatever.
class ChildProcess {
 public:
  /// What it says goes to the end of the file `log`. Throws CommandError when it cannot be started.
  ChildProcess(const std::vector<std::string>& command, const std::string& log);
  ~ChildProcess();  ///< Waits for its end.
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool is_running();
  /// Whether it is this process that answers on a port of 127.0.0.1, and nobody else.
  bool listens(std::uint16_t port) const;

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
};

}  // namespace thalweg::cli
