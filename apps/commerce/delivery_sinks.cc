#include "delivery_sinks.h"

#include <memory>
#include <utility>

#include "ndjson_files.h"
#include "outside_client.h"
#include "s3_put.h"
#include "topics.h"
#include "webhook.h"

namespace thalweg::shop {
namespace {

/// An id as the name of one file: two ids never have the same, and none is a path.
std::string file_name_of(const std::string& id) {
  std::string name;
  for (const char c : id) {
    if (c == '/') {
      name += "%2F";
    } else if (c == '%') {
      name += "%25";
    } else {
      name += c;
    }
  }
  return name;
}

}  // namespace

std::map<std::string, std::vector<Receiver>> receivers_of(const DeliveryConfig& config) {
  std::map<std::string, std::vector<Receiver>> receivers;
  for (const auto& [topic, url] : urls_of(config)) receivers[topic] = {Receiver::HTTP};
  if (!config.order_processed_directory.empty()) {
    receivers[topics::kOrderProcessed].push_back(Receiver::FILES);
  }
  if (!config.order_processed_s3.url.empty()) {
    receivers[topics::kOrderProcessed].push_back(Receiver::S3);
  }
  return receivers;
}

std::string name_of(Receiver receiver) {
  switch (receiver) {
    case Receiver::HTTP:
      break;
    case Receiver::FILES:
      return "files";
    case Receiver::S3:
      return "s3";
  }
  return "";
}

std::string path_at(Receiver receiver, const std::string& order_id, const std::string& day) {
  switch (receiver) {
    case Receiver::HTTP:
      break;
    case Receiver::FILES:
      return "/date=" + day;
    case Receiver::S3:
      return "/date=" + day + '/' + file_name_of(order_id) + ".json";
  }
  return "";
}

DeliverySend send_to_receivers(const DeliveryConfig& config) {
  const auto client =
      std::make_shared<OutsideClient>(OutsideClient::kConnectionsMax, config.tls_ca);
  std::map<Receiver, DeliverySend> receivers = {{Receiver::HTTP, send_over_http(config, client)}};
  if (!config.order_processed_directory.empty()) {
    receivers[Receiver::FILES] =
        send_to_files(config.order_processed_directory, config.order_processed_file_bytes);
  }
  if (!config.order_processed_s3.url.empty()) {
    receivers[Receiver::S3] = send_to_s3(config.order_processed_s3, client);
  }
  return [receivers = std::move(receivers)](DeliveryCall call) {
    const auto receiver = receivers.find(call.value().receiver);
    if (receiver == receivers.end()) return call.refuse(kNoReceiver);
    receiver->second(std::move(call));
  };
}

}  // namespace thalweg::shop
