#pragma once

#include <string>

#include <thalweg/runtime/log.h>

namespace thalweg::bench {

/// Commits offset 0 of all partitions of `topic` for the application, as one that has run before
/// leaves them: without them, it refuses to go on with state that its changelogs have. Throws
/// std::runtime_error where the log does not take them.
void commit_first_offsets(Log& log, const std::string& application_id, const std::string& topic);

}  // namespace thalweg::bench
