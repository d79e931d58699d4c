#pragma once

#include <map>
#include <string>
#include <vector>

#include "delivery_model.h"
#include "outside_config.h"

// Those who are told: which of them each topic has, and how each is reached.
namespace thalweg::shop {

/// The topics that somebody is told of, and who is, in the order of their numbers.
std::map<std::string, std::vector<Receiver>> receivers_of(const DeliveryConfig& config);

/// "", "files", "s3": what tells the receivers' ids, nodes and stores apart. The oldest, HTTP, has
/// nothing.
std::string name_of(Receiver receiver);

/// Where the receiver has an order of that day (`2026-11-22`): what of its URL or directory depends
/// on the order. HTTP: nothing.
std::string path_at(Receiver receiver, const std::string& order_id, const std::string& day);

/// Gives each delivery to its receiver; refuses one whose receiver is configured no more. Whatever
/// they need is made with the first delivery. Throws TopologyError for URLs that are none.
DeliverySend send_to_receivers(const DeliveryConfig& config);

}  // namespace thalweg::shop
