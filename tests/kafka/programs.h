#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace thalweg::testing {

/// What a program printed and how it ended.
struct ProgramResult {
  int exit_code = -1;  ///< Negative: the signal that ended it.
  std::string output;  ///< Standard output and standard error.
};

/// Runs a program to its end; the first word is looked for in PATH.
ProgramResult run_program(const std::vector<std::string>& command, const std::string& input = {});

/// Starts a program that writes to the file `output` and ends with the test, also when that is
/// killed. `environment` is added to the test's own.
pid_t start_program(const std::vector<std::string>& command, const std::string& output,
                    const std::vector<std::string>& environment = {});

/// Waits for a program's end and returns its exit code, or the signal that ended it, negated.
int wait_for_end(pid_t program);

}  // namespace thalweg::testing
