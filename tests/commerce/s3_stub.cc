#include "s3_stub.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <thalweg/runtime/http_server.h>

namespace thalweg::shop {
namespace {

std::string sha256_of(const std::string& text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string hmac_of(const std::string& key, const std::string& text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

std::string hex_of(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte / 16];
    text += "0123456789abcdef"[byte % 16];
  }
  return text;
}

/// What stands between `begin` and `end`, or the end of the text.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto at = text.find(begin);
  if (at == text.npos) return {};
  const auto from = at + begin.size();
  return text.substr(from, std::min(text.find(end, from), text.size()) - from);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string header(const HttpRequest& request, const std::string& name) {
  return std::string(request.header(name).value_or("(none)"));
}

}  // namespace

class S3Stub::Impl {
 public:
  Impl(std::string access_key, std::string secret_key)
      : access_key_(std::move(access_key)), secret_key_(std::move(secret_key)) {
    for (const char* pattern : {"/{a}/{b}", "/{a}/{b}/{c}", "/{a}/{b}/{c}/{d}"}) {
      server_.route("PUT", pattern, [this](HttpRequest& request, Responder responder) {
        responder.send(put(request));
      });
    }
    if (!server_.start()) throw std::runtime_error("the stub of S3 cannot listen");
  }

  mutable std::mutex mutex_;
  int fail_next_ = 0;
  int requests_ = 0;
  std::map<std::string, std::string> objects_;
  std::vector<std::string> complaints_;
  HttpServer server_;

 private:
  HttpResponse put(HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    ++requests_;
    if (fail_next_ > 0) {
      --fail_next_;
      return {.status = 503};
    }
    if (std::string complaint = fault(request); !complaint.empty()) {
      complaints_.push_back(std::move(complaint));
      return {.status = 403};
    }
    objects_[std::string(request.path())] = request.body();
    return {.status = 200};
  }

  std::string fault(const HttpRequest& request) const {
    const std::string given = header(request, "authorization");
    const std::string body = hex_of(sha256_of(request.body()));
    if (header(request, "x-amz-content-sha256") != body) return "the body has another digest";
    const auto credential = split(between(given, "Credential=", ","), '/');
    if (credential.size() != 5) return "no credential: " + given;
    if (credential[0] != access_key_) return "unknown access key " + credential[0];
    const std::string time = header(request, "x-amz-date");
    if (!time.starts_with(credential[1] + 'T')) return "signed for another day than " + time;
    const std::string names = between(given, "SignedHeaders=", ",");
    for (const char* needed : {"host", "x-amz-content-sha256", "x-amz-date"}) {
      if (std::ranges::count(split(names, ';'), needed) != 1) return names + " lacks one";
    }
    const std::string expected = signature(request, credential, time, names, body);
    const std::string found = between(given, "Signature=", ",");
    return found == expected ? "" : "the signature is " + found + ", not " + expected;
  }

  std::string signature(const HttpRequest& request, const std::vector<std::string>& credential,
                        const std::string& time, const std::string& names,
                        const std::string& body) const {
    std::string canonical =
        std::string(request.method()) + '\n' + std::string(request.path()) + "\n\n";
    for (const auto& name : split(names, ';'))
      canonical += name + ':' + header(request, name) + '\n';
    canonical += '\n' + names + '\n' + body;
    const std::string scope =
        credential[1] + '/' + credential[2] + '/' + credential[3] + '/' + credential[4];
    std::string key = "AWS4" + secret_key_;
    for (int part = 1; part <= 4; ++part) key = hmac_of(key, credential[part]);
    return hex_of(hmac_of(
        key, "AWS4-HMAC-SHA256\n" + time + '\n' + scope + '\n' + hex_of(sha256_of(canonical))));
  }

  const std::string access_key_;
  const std::string secret_key_;
};

S3Stub::S3Stub(std::string access_key, std::string secret_key)
    : impl_(std::make_unique<Impl>(std::move(access_key), std::move(secret_key))) {}

S3Stub::~S3Stub() { impl_->server_.stop(std::chrono::milliseconds(0)); }

std::uint16_t S3Stub::port() const { return impl_->server_.port(); }

void S3Stub::fail_next(int requests) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->fail_next_ = requests;
}

int S3Stub::requests() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_;
}

std::map<std::string, std::string> S3Stub::objects() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->objects_;
}

std::vector<std::string> S3Stub::complaints() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->complaints_;
}

}  // namespace thalweg::shop
