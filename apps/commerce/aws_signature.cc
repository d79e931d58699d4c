#include "aws_signature.h"

#include <algorithm>

#include "text.h"

namespace thalweg::shop {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string scope_of(const AwsIdentity& identity, std::string_view day) {
  return std::string(day) + '/' + identity.region + '/' + identity.service + "/aws4_request";
}

/// The names of all headers in order, with a semicolon between.
std::string names_of(const AwsRequest& request) {
  std::string names;
  for (const auto& [name, value] : request.headers) {
    if (!names.empty()) names += ';';
    names += name;
  }
  return names;
}

/// What both sides make of the request, byte for byte. It has no query.
std::string canonical(const AwsRequest& request) {
  std::string text = request.method + '\n' + request.path + "\n\n";
  for (const auto& [name, value] : request.headers) text += name + ':' + value + '\n';
  return text + '\n' + names_of(request) + '\n' + request.body_sha256;
}

}  // namespace

Digest aws_signing_key(const AwsIdentity& identity, std::string_view day) {
  Digest key = hmac_sha256("AWS4" + identity.secret_key, day);
  for (const std::string_view part :
       {std::string_view(identity.region), std::string_view(identity.service),
        std::string_view("aws4_request")}) {
    key = hmac_sha256(view_of(key), part);
  }
  return key;
}

std::string aws_authorization(const AwsIdentity& identity, const AwsRequest& request,
                              std::string_view time) {
  AwsRequest sorted = request;
  std::ranges::sort(sorted.headers);
  const std::string_view day = time.substr(0, time.find('T'));
  const std::string scope = scope_of(identity, day);
  const std::string to_sign = std::string(kAlgorithm) + '\n' + std::string(time) + '\n' + scope +
                              '\n' + to_hex(sha256(canonical(sorted)));
  const Digest signature = hmac_sha256(view_of(aws_signing_key(identity, day)), to_sign);
  return std::string(kAlgorithm) + " Credential=" + identity.access_key + '/' + scope +
         ",SignedHeaders=" + names_of(sorted) + ",Signature=" + to_hex(signature);
}

std::string aws_time(Timestamp time) {
  std::string text = iso8601(std::max<std::int64_t>(0, to_millis(time)));
  text.resize(text.find('.'));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + 'Z';
}

std::string uri_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.contains(c)) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace thalweg::shop
