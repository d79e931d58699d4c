#include "ndjson_day.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <thalweg/runtime/json_text.h>

#include "digest.h"

namespace thalweg::shop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = 1u << 20;

std::uint64_t hash_of(std::string_view id) {
  std::uint64_t hash = 0;
  const Digest digest = sha256(id);
  for (std::size_t i = 0; i < sizeof hash; ++i) hash = hash << 8 | digest[i];
  return hash;
}

/// The order of a line that begins as the shop writes them, without taking all of it apart: a day's
/// files have to be looked through before the first delivery of a run times out. Empty: look
/// closer.
std::string_view quick_order_id_in(std::string_view line) {
  constexpr std::string_view kBegin = R"({"orderId":")";
  if (!line.starts_with(kBegin)) return {};
  // An escape, or a second member of that name: what counts is no longer plain to see.
  if (line.contains('\\') || line.find(R"("orderId")", 2) != line.npos) return {};
  return line.substr(kBegin.size(), line.find('"', kBegin.size()) - kBegin.size());
}

/// The order that a line is about; empty: none.
std::string order_id_in(std::string_view line) {
  if (const auto id = quick_order_id_in(line); !id.empty()) return std::string(id);
  const auto value = parse_json(line);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* id = object ? object->if_contains("orderId") : nullptr;
  if (id && id->is_string()) return std::string(id->get_string());
  return id && id->is_int64() ? std::to_string(id->get_int64()) : std::string();
}

std::string name_of(std::uint64_t number) { return fmt::format("{:06}.ndjson", number); }

/// 0: the file is none of ours.
std::uint64_t number_of(const fs::path& path) {
  std::uint64_t number = 0;
  const std::string stem = path.stem();
  const auto error = std::from_chars(stem.data(), stem.data() + stem.size(), number).ec;
  const bool is_ours = error == std::errc() && path.filename() == name_of(number);
  return is_ours ? number : 0;
}

/// Makes the entries of a directory durable; gives errno.
int sync_directory(const fs::path& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno;
  const int error = ::fsync(directory) == 0 ? 0 : errno;
  ::close(directory);
  return error;
}

}  // namespace

NdjsonDay::NdjsonDay(fs::path directory, std::uint64_t bytes_max)
    : directory_(std::move(directory)), bytes_max_(bytes_max) {}

NdjsonDay::~NdjsonDay() { close(); }

Status NdjsonDay::look() {
  std::error_code error;
  if (number_ == 0) {
    fs::create_directories(directory_, error);
    if (error) return fault(directory_, error.value());
    if (const int failed = sync_directory(directory_.parent_path())) {
      return fault(directory_.parent_path(), failed);
    }
  }
  std::set<std::uint64_t> numbers;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto number = number_of(entry->path());
    if (number > 0 && number >= number_) numbers.insert(number);
  }
  if (error) return fault(directory_, error.value());
  if (numbers.empty()) numbers.insert(std::max<std::uint64_t>(1, number_));
  for (const auto number : numbers) {
    if (number != number_) {
      if (auto ended = end_file(); !ended) return ended;
    }
    if (auto opened = open(number); !opened) return opened;
    if (auto read = read_gained(); !read) return read;
    kept_ = size_;
  }
  return {};
}

Status NdjsonDay::add(std::string_view order_id, std::string_view json) {
  if (!known_.insert(hash_of(order_id)).second) return {};
  const std::uint64_t size = size_ + lines_.size();
  if (size > 0 && size + json.size() + 1 > bytes_max_) {
    if (auto ended = end_file(); !ended) return ended;
    if (auto opened = open(number_ + 1); !opened) return opened;
  }
  // In JSON a line break is a space between two words, and in a text it is escaped.
  std::ranges::replace_copy_if(
      json, std::back_inserter(lines_), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  lines_ += '\n';
  return {};
}

Status NdjsonDay::sync() {
  auto ended = end_file();
  close();
  return ended;
}

/// Makes `number` the file that grows.
Status NdjsonDay::open(std::uint64_t number) {
  close();
  const bool is_next = number != std::exchange(number_, number);
  if (is_next) size_ = kept_ = 0;
  const auto path = path_of(number);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) return fault(path, errno);
  if (!is_next) return {};
  if (const int error = sync_directory(directory_)) return fault(directory_, error);
  return {};
}

Status NdjsonDay::read_gained() {
  const auto path = path_of(number_);
  struct stat status {};
  if (::fstat(file_, &status) != 0) return fault(path, errno);
  // Somebody has taken it away: it begins anew.
  if (static_cast<std::uint64_t>(status.st_size) < size_) size_ = 0;
  std::string rest;
  for (std::uint64_t at = size_;;) {
    const std::size_t kept = rest.size();
    rest.resize(kept + kReadBytes);
    const auto count = ::pread(file_, rest.data() + kept, kReadBytes, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) {
      rest.resize(kept);
      continue;
    }
    if (count < 0) return fault(path, errno);
    rest.resize(kept + static_cast<std::size_t>(count));
    if (count == 0) break;
    at += static_cast<std::uint64_t>(count);
    is_durable_ = false;
    learn_lines(rest);
  }
  if (rest.empty()) return {};
  spdlog::warn("{}: cut off {} bytes of a line that was not finished", path.string(), rest.size());
  if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) return fault(path, errno);
  return {};
}

/// Takes the whole lines out of `text`.
void NdjsonDay::learn_lines(std::string& text) {
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    learn(std::string_view(text).substr(begin, end - begin));
    size_ += end + 1 - begin;
  }
  text.erase(0, begin);
}

void NdjsonDay::learn(std::string_view line) {
  const std::string order_id = order_id_in(line);
  if (!order_id.empty()) {
    known_.insert(hash_of(order_id));
  } else {
    spdlog::warn("{}: the line at byte {} is about no order", path_of(number_).string(), size_);
  }
}

Status NdjsonDay::write_lines() {
  std::string_view rest = lines_;
  if (!rest.empty()) is_durable_ = false;
  while (!rest.empty()) {
    const auto count = ::write(file_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fault(path_of(number_), count < 0 ? errno : EIO);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  size_ += lines_.size();
  lines_.clear();
  return {};
}

/// Writes what waits, and makes the whole file durable. Takes back what the round wrote to it if
/// that fails, so that none of it is taken for durable later.
Status NdjsonDay::end_file() {
  if (file_ < 0) return {};
  Status done = write_lines();
  if (done) done = sync_file();
  if (!done && ::ftruncate(file_, static_cast<off_t>(kept_)) != 0) {
    spdlog::error("{}: what could not be made durable could not be taken back either",
                  path_of(number_).string());
  }
  if (done) kept_ = size_;
  return done;
}

Status NdjsonDay::sync_file() {
  if (is_durable_) return {};
  if (::fdatasync(file_) != 0) return fault(path_of(number_), errno);
  is_durable_ = true;
  return {};
}

void NdjsonDay::close() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

fs::path NdjsonDay::path_of(std::uint64_t number) const { return directory_ / name_of(number); }

Status NdjsonDay::fault(const fs::path& path, int error) const {
  const auto code = error == ENOSPC || error == EDQUOT ? ErrorCode::kNoSpace : ErrorCode::kIo;
  return failure(code, path.string() + ": " + std::generic_category().message(error));
}

}  // namespace thalweg::shop
