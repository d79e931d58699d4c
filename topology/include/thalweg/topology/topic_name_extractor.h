#pragma once

#include <functional>
#include <string>

#include <thalweg/schemas/record.h>

namespace thalweg {

/// Chooses the topic of each record that a sink writes. The topics must exist.
template <typename K, typename V>
struct TopicNameExtractor {
  /// `metadata` is that of the record the task is processing.
  std::function<std::string(const K& key, const V& value, const RecordMetadata& metadata)> extract;
  std::string name = "TopicNameExtractor";  ///< What describe() calls it.
};

}  // namespace thalweg
