#include "directory_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace thalweg::internal {
namespace {

/// What the holder wrote into its lock file: its process id.
std::string holder_of(int descriptor) {
  char text[32] = {};
  const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

Error system_error(const std::string& what, const std::string& path) {
  const int number = errno;
  const bool is_full = number == ENOSPC || number == EDQUOT;
  return {is_full ? ErrorCode::kNoSpace : ErrorCode::kIo,
          what + " " + path + ": " + std::strerror(number)};
}

Status sync_directory(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(system_error("cannot open", directory));
  const int answer = ::fsync(descriptor);
  Status status;
  if (answer != 0) status = std::unexpected(system_error("cannot sync", directory));
  ::close(descriptor);
  return status;
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return std::unexpected(system_error("cannot open", path));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(system_error("cannot lock", path));
    return failure(ErrorCode::kLocked, "directory " + directory + " is in use by " +
                                           holder_of(descriptor) +
                                           "; stop it first or choose another directory");
  }
  const std::string holder = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, holder.data(), holder.size(), 0) < 0) {
    return std::unexpected(system_error("cannot write", path));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace thalweg::internal
