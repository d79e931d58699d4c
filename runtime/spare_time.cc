#include "spare_time.h"

#include <cstdio>
#include <utility>

namespace thalweg::internal {
namespace {

constexpr std::chrono::milliseconds kShortest{50};
constexpr int kTenth = 10;

}  // namespace

std::optional<SpareTime::Duration> SpareTime::idle_of_machine() {
  std::FILE* file = std::fopen("/proc/uptime", "re");
  if (!file) return {};
  double up = 0;
  double idle = 0;
  const int read = std::fscanf(file, "%lf %lf", &up, &idle);
  std::fclose(file);
  if (read != 2) return {};
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(idle));
}

SpareTime::SpareTime(int processors, Idle idle) : processors_(processors), idle_(std::move(idle)) {}

bool SpareTime::is_left(std::chrono::steady_clock::time_point now) {
  if (idle_then_ && now < asked_ + kShortest) return is_left_;
  const auto idle = idle_();
  if (idle && idle_then_) {
    is_left_ = (*idle - *idle_then_) * kTenth >= Duration(now - asked_) * processors_;
  }
  idle_then_ = idle;
  asked_ = now;
  return is_left_;
}

}  // namespace thalweg::internal
