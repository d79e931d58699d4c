#pragma once

#include <memory>
#include <string>
#include <vector>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/log.h>
#include <thalweg/state/storage.h>

namespace thalweg {

/// What applications left in a data directory, while none of them runs.
///
/// Topics are those of the embedded log. Stores are read from their changelogs, which have all of
/// them; where the log is a cluster of Kafka, from what was spilled to the disk. Schemas are those
/// that the applications noted when they were last started.
///
/// Opening repairs what a crash left, as the next start would; nothing else is changed. The
/// directory is locked meanwhile, so that no application can start on it.
class StoppedDirectory {
 public:
  /// kNotFound when there is no such directory, or no data in it; kLocked when a process has it
  /// open.
  static Result<std::unique_ptr<StoppedDirectory>> open(const std::string& directory);
  virtual ~StoppedDirectory() = default;

  virtual Log& log() = 0;
  virtual Storage& storage() = 0;
  virtual std::vector<std::string> applications() const = 0;
  /// Adds the routes of QueryService that read, to a server not yet started.
  virtual void serve(HttpServer& server) = 0;
  /// Makes what was done to the log durable and lets go of the directory. The server that it serves
  /// must have stopped.
  virtual void close() = 0;
};

}  // namespace thalweg
