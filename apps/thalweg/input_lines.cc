#include "input_lines.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include "exit_codes.h"

namespace thalweg::cli {

namespace {
constexpr std::size_t kReadBytes = 64u << 10;
}

bool InputLines::next(std::string& line) {
  std::size_t searched = begin_;
  for (;;) {
    const auto end = read_.find('\n', searched);
    if (end != read_.npos) {
      line.assign(read_, begin_, end - begin_);
      begin_ = end + 1;
      break;
    }
    read_.erase(0, begin_);
    begin_ = 0;
    searched = read_.size();
    if (read_more()) continue;
    if (read_.empty()) return false;
    line = std::exchange(read_, {});  // The last line needs no end.
    break;
  }
  ++number_;
  return true;
}

bool InputLines::read_more() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, 0) == 0) before_waiting_();
  const auto before = read_.size();
  read_.resize(before + kReadBytes);
  ssize_t size = 0;
  do {
    size = ::read(STDIN_FILENO, read_.data() + before, kReadBytes);
  } while (size < 0 && errno == EINTR);
  const int error = errno;
  read_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (size >= 0) return size > 0;
  before_waiting_();  // What came is not lost.
  throw CommandError(kFailed, std::string("cannot read standard input: ") + std::strerror(error));
}

}  // namespace thalweg::cli
