#pragma once

#include <string>

#include <thalweg/schemas/bytes.h>
#include <thalweg/topology/processor.h>

namespace thalweg::shop {

/// Turns an unreadable record into a dead letter: its bytes as they came, and headers that say
/// where it came from and what is wrong with it, named as in KIP-1034.
///
/// `Record` has the `bytes` as they came, and `fault(key)`.
template <typename Record>
class DeadLetterProcessor final : public FixedKeyProcessor<std::string, Record, Bytes> {
 public:
  void process(const RecordRef<std::string, Record>& record) override {
    const auto& from = this->context().task().metadata();
    Headers headers = record.headers;
    headers.add("__streams.errors.exception", "SerdeError");
    headers.add("__streams.errors.message", record.value.fault(record.key));
    headers.add("__streams.errors.topic", std::string(from.topic));
    headers.add("__streams.errors.partition", std::to_string(from.partition));
    headers.add("__streams.errors.offset", std::to_string(from.offset));
    this->context().forward(Bytes{record.value.bytes}, record.timestamp, headers);
  }
};

}  // namespace thalweg::shop
