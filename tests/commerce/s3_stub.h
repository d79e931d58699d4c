#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace thalweg::shop {

/// A store that speaks as much of S3 as one PUT needs: `PUT /{bucket}/{key...}` with AWS Signature
/// Version 4, which it works out by itself from what came: 403 if that is another. Thread-safe.
class S3Stub {
 public:
  S3Stub(std::string access_key, std::string secret_key);
  ~S3Stub();

  std::uint16_t port() const;
  /// The next so many requests are answered with 503.
  void fail_next(int requests);
  int requests() const;
  /// Bodies by path, as it was sent.
  std::map<std::string, std::string> objects() const;
  /// Why requests were refused.
  std::vector<std::string> complaints() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg::shop
