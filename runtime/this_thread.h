#pragma once

#include <string>

#include <pthread.h>

namespace thalweg::internal {

/// Names the calling thread for whoever looks with `top -H`, a debugger or a profiler. Linux shows
/// 15 characters.
inline void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace thalweg::internal
