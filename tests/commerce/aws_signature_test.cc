// Signatures, against the examples of AWS's own documentation.

#include "aws_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg::shop {
namespace {

using ::testing::EndsWith;

// Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
const AwsIdentity kExample{.access_key = "AKIAIOSFODNN7EXAMPLE",
                           .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                           .region = "us-east-1"};
constexpr std::string_view kTime = "20130524T000000Z";

TEST(AwsSignature, OfTheDocumentedGetOfAPartOfAnObject) {
  const std::string nothing = to_hex(sha256(""));
  const AwsRequest request{.method = "GET",
                           .path = "/test.txt",
                           .headers = {{"host", "examplebucket.s3.amazonaws.com"},
                                       {"range", "bytes=0-9"},
                                       {"x-amz-content-sha256", nothing},
                                       {"x-amz-date", std::string(kTime)}},
                           .body_sha256 = nothing};

  EXPECT_EQ(aws_authorization(kExample, request, kTime),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(AwsSignature, OfTheDocumentedPutOfAnObject) {
  const std::string body = to_hex(sha256("Welcome to Amazon S3."));
  const AwsRequest request{.method = "PUT",
                           .path = '/' + uri_encoded("test$file.text"),
                           .headers = {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                       {"x-amz-date", std::string(kTime)},
                                       {"x-amz-content-sha256", body},
                                       {"host", "examplebucket.s3.amazonaws.com"},
                                       {"date", "Fri, 24 May 2013 00:00:00 GMT"}},
                           .body_sha256 = body};

  EXPECT_THAT(aws_authorization(kExample, request, kTime),
              EndsWith("SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;"
                       "x-amz-storage-class,Signature="
                       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

// AWS General Reference, "Deriving the signing key".
TEST(AwsSignature, KeyOfTheDocumentedDay) {
  const AwsIdentity identity{.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                             .region = "us-east-1",
                             .service = "iam"};

  EXPECT_EQ(to_hex(aws_signing_key(identity, "20120215")),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

TEST(AwsTime, IsTheBasicFormOfIso8601) {
  EXPECT_EQ(aws_time(from_millis(1'369'353'600'000)), "20130524T000000Z");
  EXPECT_EQ(aws_time(from_millis(1'369'353'661'987)), "20130524T000101Z");
  EXPECT_EQ(aws_time(kNoTimestamp), "19700101T000000Z");
}

TEST(UriEncoding, LeavesWhatRfc3986CallsUnreserved) {
  EXPECT_EQ(uri_encoded("Aa0-._~"), "Aa0-._~");
  EXPECT_EQ(uri_encoded("a b+c/d=e%\xc3\xb6*"), "a%20b%2Bc%2Fd%3De%25%C3%B6%2A");
}

}  // namespace
}  // namespace thalweg::shop
