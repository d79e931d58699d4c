#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/streams_application.h>

#include "roles.h"

namespace thalweg::shop {

/// The applications of this process, found by their roles, by what they hold and by what they read.
/// Immutable, and so for any thread; the applications must outlive it.
class Applications {
 public:
  void add(const Role& role, StreamsApplication& application);

  /// Null when this process does not play that role.
  StreamsApplication* of_role(std::string_view role) const;
  /// The one that has a store of that name. kUnavailable when none here does.
  Result<StreamsApplication*> with_store(std::string_view store) const;
  /// Calls `done` when every application here that reads the record's topic, and does not only
  /// listen, has committed past it. At once when that is so already, or nobody here reads it; else
  /// from a worker's thread.
  void when_processed(const TopicPartition& input, Offset offset,
                      std::function<void()> done) const;

 private:
  std::map<std::string_view, StreamsApplication*> by_role_;
  std::map<std::string, StreamsApplication*, std::less<>> by_store_;
  std::map<std::string, std::vector<StreamsApplication*>, std::less<>> readers_;  // By topic.
};

}  // namespace thalweg::shop
