#pragma once

#include <memory>
#include <string>

#include <thalweg/schemas/error.h>

namespace thalweg::internal {

/// Holds `<directory>/lock` for as long as it lives. The system lets go of it when the process
/// dies.
class DirectoryLock {
 public:
  /// kLocked, naming the process that holds it and the directory, when it is taken.
  static Result<std::unique_ptr<DirectoryLock>> acquire(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// The failure of a call of the operating system on `path`, by errno: kNoSpace or kIo.
Error system_error(const std::string& what, const std::string& path);

/// Makes the entries of a directory last: files made, renamed or removed in it.
Status sync_directory(const std::string& directory);

}  // namespace thalweg::internal
