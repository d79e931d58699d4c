#pragma once

#include <span>
#include <string_view>

#include <thalweg/runtime/kafka_log.h>

#include "kafka/rd_handles.h"

namespace thalweg::internal {

/// The kinds of clients, by the prefixes of the properties that are theirs.
enum class ClientKind { kMember, kReader, kProducer, kAdmin };

/// A property that the protocol needs, whatever is configured.
struct FixedProperty {
  std::string_view name;
  std::string value;
};

/// The configuration of a client: defaults, the properties of its kind in `options`, then `fixed`.
/// An error names the property, never its value.
Result<RdConf> client_conf(ClientKind kind, const KafkaLogOptions& options,
                           const std::string& client_id, std::span<const FixedProperty> fixed);

/// The value that a client of the kind would have, by its most special name; empty when not set.
std::string configured(ClientKind kind, const KafkaLogOptions& options, std::string_view name);

/// Those with the prefix `topic.`, without it.
std::map<std::string, std::string> topic_properties(const KafkaLogOptions& options);

}  // namespace thalweg::internal
