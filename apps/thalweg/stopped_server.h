#pragma once

#include <memory>
#include <string>

#include <thalweg/runtime/stopped_directory.h>

namespace thalweg::cli {

/// Opens the directory of a stopped application. Throws CommandError when it is none, or is in use.
std::unique_ptr<StoppedDirectory> open_stopped(const std::string& directory);

/// What a stopped application left, served to this process alone: questions are the same whether
/// it runs or not.
class StoppedServer {
 public:
  explicit StoppedServer(const std::string& directory);
  ~StoppedServer();

  std::string url() const;

 private:
  std::unique_ptr<StoppedDirectory> directory_;
  HttpServer server_;
};

}  // namespace thalweg::cli
