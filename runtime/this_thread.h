#pragma once

#include <pthread.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace thalweg::internal {

/// Names the calling thread for whoever looks with `top -H`, a debugger or a profiler. Linux shows
/// 15 characters.
inline void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

/// Makes the calling thread alone give way, as Linux does it (POSIX would take the whole process).
inline void be_nice(int nice) {
  if (nice > 0) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice);
}

}  // namespace thalweg::internal
