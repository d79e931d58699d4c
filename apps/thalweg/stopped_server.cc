#include "stopped_server.h"

#include "exit_codes.h"

namespace thalweg::cli {
namespace {

CommandError error_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kLocked:
      return {kLocked, error.message,
              "ask the application itself (--url), or stop it before looking into its directory"};
    case ErrorCode::kNotFound:
      return {kUnknownName, error.message, "name the --data-dir that the application was given"};
    case ErrorCode::kCorrupt:
      return {kBadData, error.message};
    default:
      return {kFailed, error.message};
  }
}

}  // namespace

std::unique_ptr<StoppedDirectory> open_stopped(const std::string& directory) {
  auto opened = StoppedDirectory::open(directory);
  if (!opened) throw error_of(opened.error());
  return *std::move(opened);
}

StoppedServer::StoppedServer(const std::string& directory) : directory_(open_stopped(directory)) {
  directory_->serve(server_);
  if (auto started = server_.start(); !started) throw error_of(started.error());
}

StoppedServer::~StoppedServer() {
  server_.stop();
  directory_->close();
}

std::string StoppedServer::url() const {
  return "http://127.0.0.1:" + std::to_string(server_.port());
}

}  // namespace thalweg::cli
