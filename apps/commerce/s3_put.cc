#include "s3_put.h"

#include <utility>

#include <thalweg/topology/errors.h>

#include "aws_signature.h"
#include "webhook.h"

namespace thalweg::shop {
namespace {

/// The path with each of its segments encoded.
std::string encoded(std::string_view path) {
  std::string out;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    out += uri_encoded(path.substr(begin, end - begin));
    if (end < path.size()) out += '/';
    begin = end + 1;
  }
  return out;
}

OutsideRequest put(const OutsideUrl& url, const AwsIdentity& identity, const DeliveryCall& call,
                   Timestamp now) {
  OutsideRequest request{
      .method = "PUT", .url = url, .body = call.value().payload, .timeout = call.timeout()};
  request.url.path = encoded(url.path + call.value().path);
  const std::string time = aws_time(now);
  const std::string body_sha256 = to_hex(sha256(request.body));
  request.headers = {{"content-type", "application/json"},
                     {"x-amz-content-sha256", body_sha256},
                     {"x-amz-date", time}};
  AwsRequest to_sign{.method = request.method,
                     .path = request.url.path,
                     .headers = request.headers,
                     .body_sha256 = body_sha256};
  to_sign.headers.emplace_back("host", url.authority());
  request.headers.emplace_back("authorization", aws_authorization(identity, to_sign, time));
  return request;
}

}  // namespace

DeliverySend send_to_s3(const S3Config& config, std::shared_ptr<OutsideClient> client,
                        const Clock& clock) {
  const auto url = OutsideUrl::parse(config.url);
  if (!url) throw TopologyError("the bucket of order.processed: " + url.error().message);
  return [url = *url, client = std::move(client), &clock,
          identity = AwsIdentity{.access_key = config.access_key,
                                 .secret_key = config.secret_key,
                                 .region = config.region}](DeliveryCall call) {
    OutsideRequest request = put(url, identity, call, clock.wall_clock());
    client->send(std::move(request),
                 [call = std::move(call)](auto reply) mutable { answer_as(reply, call); });
  };
}

}  // namespace thalweg::shop
