#pragma once

#include <expected>
#include <stdexcept>
#include <string>

namespace thalweg {

/// What kind of failure an Error is, named by who should do what about it.
enum class ErrorCode {
  kNotFound,       ///< The named thing does not exist; asking again will not help.
  kInvalid,        ///< The caller passed something that can never work.
  kAlreadyExists,  ///< The named thing exists and was to be created.
  kUnavailable,    ///< Not now: restoring, rebalancing, a broker away. Ask again.
  kCorrupt,        ///< Bytes on disk or in a topic are not what was written there.
  kNoSpace,        ///< The disk is full. Free some and ask again.
  kIo,             ///< The operating system refused; the message says what it said.
  kLocked,         ///< Another process holds the directory.
};

/// A failure while running: what went wrong, where, and what to do, in one sentence.
struct Error {
  ErrorCode code;
  std::string message;
};

/// The answer of an operation that can fail while running. Building (DSL, configuration) throws
/// instead, since a programmer reads it at start-up.
template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> failure(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

/// Bytes that cannot be read as the type asked for. The task adds topic, partition and offset.
class SerdeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace thalweg
