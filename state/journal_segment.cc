#include "journal_segment.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thalweg/schemas/internal/crc32c.h>

#include "big_endian.h"
#include "directory_lock.h"

namespace thalweg::internal {
namespace {

constexpr BytesView kMagic = "THWJRNL";
constexpr BytesView kEnding = ".log";
constexpr std::size_t kDigits = 10;

std::string header_of(SegmentId id, std::uint32_t previous_end,
                      int format = JournalSegment::kFormat) {
  std::string header(kMagic);
  header.push_back(static_cast<char>('0' + format));
  append_big_endian(id, header);
  append_big_endian(previous_end, header);
  append_big_endian(crc32c(header), header);
  return header;
}

}  // namespace

std::string JournalSegment::path_of(const std::string& directory, SegmentId id) {
  char name[kDigits + 1];
  std::snprintf(name, sizeof name, "%010u", id);
  return directory + "/" + name + std::string(kEnding);
}

SegmentId JournalSegment::id_of(const std::string& file_name) {
  if (file_name.size() != kDigits + kEnding.size() || !file_name.ends_with(kEnding)) return 0;
  SegmentId id = 0;
  const char* end = file_name.data() + kDigits;
  const auto [at, error] = std::from_chars(file_name.data(), end, id);
  return error == std::errc() && at == end ? id : 0;
}

Result<std::shared_ptr<JournalSegment>> JournalSegment::create(const std::string& directory,
                                                               SegmentId id,
                                                               std::uint32_t previous_end) {
  std::string path = path_of(directory, id);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return std::unexpected(system_error("cannot make", path));
  std::shared_ptr<JournalSegment> segment(new JournalSegment(std::move(path), id, descriptor));
  segment->previous_end_ = previous_end;
  if (auto status = segment->write(0, header_of(id, previous_end)); !status) {
    return std::unexpected(status.error());
  }
  return segment;
}

Result<std::shared_ptr<JournalSegment>> JournalSegment::open_unread(const std::string& directory,
                                                                    SegmentId id) {
  std::string path = path_of(directory, id);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    const bool is_gone = errno == ENOENT;
    Error error = system_error("cannot open", path);
    if (is_gone) error.code = ErrorCode::kNotFound;
    return std::unexpected(std::move(error));
  }
  return std::shared_ptr<JournalSegment>(new JournalSegment(std::move(path), id, descriptor));
}

Result<std::shared_ptr<JournalSegment>> JournalSegment::open(const std::string& directory,
                                                             SegmentId id) {
  auto segment = open_unread(directory, id);
  if (!segment) return segment;
  if (auto status = (*segment)->read_header(); !status) return std::unexpected(status.error());
  return segment;
}

Result<int> JournalSegment::format_of(const std::string& directory, SegmentId id) {
  const auto segment = open_unread(directory, id);
  if (!segment) return std::unexpected(segment.error());
  std::string header;
  if (auto status = (*segment)->read(0, kHeaderBytes, header); !status) {
    if (status.error().code == ErrorCode::kCorrupt) return 0;
    return std::unexpected(status.error());
  }
  const int format = header[kMagic.size()] - '0';
  const auto previous_end = read_big_endian<std::uint32_t>(BytesView(header).substr(12));
  return header == header_of(id, previous_end, format) ? format : 0;
}

Status JournalSegment::read_header() {
  std::string header;
  if (auto status = read(0, kHeaderBytes, header); !status) return status;
  previous_end_ = read_big_endian<std::uint32_t>(BytesView(header).substr(12));
  if (header == header_of(id_, previous_end_)) return {};
  return failure(ErrorCode::kCorrupt,
                 path_ + " does not begin as segment " + std::to_string(id_) + " of a journal");
}

JournalSegment::~JournalSegment() { ::close(descriptor_); }

Result<std::uint64_t> JournalSegment::size() const {
  struct stat file {};
  if (::fstat(descriptor_, &file) != 0) {
    return std::unexpected(system_error("cannot ask for the size of", path_));
  }
  return static_cast<std::uint64_t>(file.st_size);
}

Status JournalSegment::write(std::uint64_t at, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(system_error("cannot write to", path_));
    }
    at += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status JournalSegment::read(std::uint64_t at, std::size_t bytes, std::string& out) const {
  out.resize(bytes);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got =
        ::pread(descriptor_, out.data() + done, bytes - done, static_cast<off_t>(at + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(system_error("cannot read", path_));
    }
    if (got == 0) {
      return failure(ErrorCode::kCorrupt, path_ + " ends before byte " +
                                              std::to_string(at + bytes) + ", which it once held");
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Status JournalSegment::sync() {
  if (::fdatasync(descriptor_) == 0) return {};
  return std::unexpected(system_error("cannot sync", path_));
}

Status JournalSegment::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) == 0) return {};
  return std::unexpected(system_error("cannot shorten", path_));
}

}  // namespace thalweg::internal
