#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace thalweg::cli {

// How the tool ends, for scripts. From 64 on as sysexits.h has them.
constexpr int kDone = 0;
constexpr int kNotThere = 1;      ///< The question was fine, the answer is: no such key or record.
constexpr int kCompatible = 1;    ///< topology diff: something changes, no state is lost.
constexpr int kStateLost = 2;     ///< topology diff: state would be lost or has to be rebuilt.
constexpr int kUsage = 64;        ///< The command line makes no sense.
constexpr int kBadData = 65;      ///< What was given (a file, a record, a key) is not valid.
constexpr int kUnknownName = 66;  ///< No such store, topic, application, file or directory.
constexpr int kUnavailable = 69;  ///< Nobody answers, or not yet.
constexpr int kFailed = 70;       ///< Anything else.
constexpr int kLocked = 75;       ///< An application holds the data directory.
constexpr int kRefused = 77;      ///< The application wants a token, or another one.
constexpr int kBadSettings = 78;  ///< config check found faults.

/// What ends a command: a sentence for the user, what to do about it, and the exit code.
class CommandError : public std::runtime_error {
 public:
  CommandError(int code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  int code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  int code_;
  std::string hint_;
};

}  // namespace thalweg::cli
