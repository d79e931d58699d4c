#include "ndjson_files.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <condition_variable>
#include <fcntl.h>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <sys/file.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "ndjson_day.h"

namespace thalweg::shop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDaysKnown = 3;
/// More is not taken: whoever delivers has given up on them long before.
constexpr std::size_t kWaitingMax = 100'000;
constexpr int kDelivered = 200;
constexpr std::string_view kDayPrefix = "/date=";

Status fault(const fs::path& path, int error) {
  return failure(ErrorCode::kIo, path.string() + ": " + std::generic_category().message(error));
}

/// The right to touch a directory's files, among all processes; waits for it.
class DirectoryLock {
 public:
  ~DirectoryLock() {
    if (file_ >= 0) ::close(file_);
  }

  Status take(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) return fault(directory, error.value());
    const fs::path path = directory / ".lock";
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) return fault(path, errno);
    while (::flock(file_, LOCK_EX) != 0) {
      if (errno != EINTR) return fault(path, errno);
    }
    return {};
  }

 private:
  int file_ = -1;
};

/// The days used last.
class KnownDays {
 public:
  KnownDays(fs::path directory, std::uint64_t bytes_max)
      : directory_(std::move(directory)), bytes_max_(bytes_max) {}

  NdjsonDay& of(const std::string& day) {
    const auto found = std::ranges::find(days_, day, &Known::day);
    if (found != days_.end()) {
      days_.splice(days_.begin(), days_, found);
    } else {
      if (days_.size() == kDaysKnown) days_.pop_back();
      days_.push_front(
          {day, std::make_unique<NdjsonDay>(directory_ / ("date=" + day), bytes_max_)});
    }
    return *days_.front().files;
  }
  void forget(const std::string& day) {
    days_.remove_if([&](const Known& known) { return known.day == day; });
  }

 private:
  struct Known {
    std::string day;
    std::unique_ptr<NdjsonDay> files;
  };
  fs::path directory_;
  std::uint64_t bytes_max_;
  std::list<Known> days_;
};

using Lines = std::vector<NdjsonLine>;

/// The day of such a path; nothing if it is another.
std::optional<std::string> day_in(std::string_view path) {
  if (!path.starts_with(kDayPrefix)) return std::nullopt;
  path.remove_prefix(kDayPrefix.size());
  const bool is_day = !path.empty() && std::ranges::all_of(path, [](unsigned char c) {
    return std::isdigit(c) != 0 || c == '-';
  });
  return is_day ? std::optional(std::string(path)) : std::nullopt;
}

}  // namespace

class NdjsonFiles::Impl {
 public:
  Impl(fs::path directory, std::uint64_t bytes_max)
      : directory_(directory), days_(std::move(directory), bytes_max) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    answer(waiting_, std::unexpected("the files are closed"));
  }

  void append(NdjsonLine line) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() < kWaitingMax) {
        waiting_.push_back(std::move(line));
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
        changed_.notify_one();
        return;
      }
    }
    line.done(std::unexpected("too many orders wait to be written to " + directory_.string()));
  }

  std::uint64_t batches() const { return batches_; }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
      if (closing_) return;
      Lines batch = std::exchange(waiting_, {});
      lock.unlock();
      write(batch);
      lock.lock();
    }
  }

  void write(Lines& batch) {
    ++batches_;
    std::map<std::string, Lines> by_day;
    for (auto& line : batch) by_day[line.day].push_back(std::move(line));
    std::map<std::string, Status> written;
    {
      DirectoryLock lock;
      const Status locked = lock.take(directory_);
      for (const auto& [day, lines] : by_day) {
        written[day] = locked ? write_day(day, lines) : locked;
      }
    }
    for (auto& [day, lines] : by_day) {
      const Status& status = written[day];
      answer(lines, status ? Outcome() : std::unexpected(status.error().message));
    }
  }

  Status write_day(const std::string& day, const Lines& lines) {
    NdjsonDay& files = days_.of(day);
    Status done = files.look();
    for (auto line = lines.begin(); done && line != lines.end(); ++line) {
      done = files.add(line->order_id, line->json);
    }
    if (done) done = files.sync();
    if (!done) days_.forget(day);
    return done;
  }

  using Outcome = std::expected<void, std::string>;
  static void answer(Lines& lines, const Outcome& outcome) {
    for (auto& line : lines) line.done(outcome);
  }

  const fs::path directory_;
  KnownDays days_;  // Of the thread.
  std::atomic<std::uint64_t> batches_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  Lines waiting_;
  bool closing_ = false;
  std::thread thread_;
};

NdjsonFiles::NdjsonFiles(fs::path directory, std::uint64_t bytes_max)
    : impl_(std::make_unique<Impl>(std::move(directory), bytes_max)) {}

NdjsonFiles::~NdjsonFiles() = default;

void NdjsonFiles::append(NdjsonLine line) { impl_->append(std::move(line)); }

std::uint64_t NdjsonFiles::batches() const { return impl_->batches(); }

DeliverySend send_to_files(fs::path directory, std::uint64_t bytes_max) {
  const auto files = std::make_shared<NdjsonFiles>(std::move(directory), bytes_max);
  return [files](DeliveryCall call) {
    const DeliveryRequest& request = call.value();
    auto day = day_in(request.path);
    if (!day) return call.refuse("there are no files of \"" + request.path + "\"");
    NdjsonLine line{.day = *std::move(day), .order_id = request.order_id, .json = request.payload};
    line.done = [call = std::move(call)](std::expected<void, std::string> written) mutable {
      if (written) return call.succeed(kDelivered);
      call.fail(std::move(written.error()));
    };
    files->append(std::move(line));
  };
}

}  // namespace thalweg::shop
