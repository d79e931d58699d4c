#pragma once

#include <string>

namespace thalweg::shop {

/// A certificate with its key, both PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

/// One that signs itself and may sign others.
Certificate make_authority(const std::string& name);
/// One of `host`, a DNS name or an IP address, signed by `authority`. Valid for an hour.
Certificate make_certificate(const std::string& host, const Certificate& authority);

}  // namespace thalweg::shop
