#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/schemas/timestamp.h>

#include "digest.h"

// AWS Signature Version 4, as S3 and stores compatible with it ask for.
namespace thalweg::shop {

/// Who signs, and for what.
struct AwsIdentity {
  std::string access_key;
  std::string secret_key;
  std::string region;
  std::string service = "s3";
};

/// A request as far as it is signed.
struct AwsRequest {
  std::string method;
  std::string path;  ///< As it is sent: each segment uri_encoded().
  /// All that are signed, by names in small letters; `host` and `x-amz-date` have to be among them.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body_sha256;  ///< In hexadecimal.
};

/// The value of the header Authorization. `time`: that of `x-amz-date`, 20130524T000000Z.
std::string aws_authorization(const AwsIdentity& identity, const AwsRequest& request,
                              std::string_view time);

/// The key that signs requests of one day (20130524).
Digest aws_signing_key(const AwsIdentity& identity, std::string_view day);

/// 20130524T000000Z. Times before 1970 count as its beginning.
std::string aws_time(Timestamp time);

/// With everything percent-encoded but letters, digits and `-._~`: RFC 3986 leaves some choice, and
/// signatures none.
std::string uri_encoded(std::string_view text);

}  // namespace thalweg::shop
