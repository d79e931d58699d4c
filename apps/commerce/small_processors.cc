#include "small_processors.h"

namespace thalweg::shop {

void DeadLetterProcessor::process(const RecordRef<std::string, SagaCommand>& record) {
  const auto& from = context().task().metadata();
  Headers headers = record.headers;
  headers.add("__streams.errors.exception", "SerdeError");
  headers.add("__streams.errors.message", record.value.fault(record.key));
  headers.add("__streams.errors.topic", std::string(from.topic));
  headers.add("__streams.errors.partition", std::to_string(from.partition));
  headers.add("__streams.errors.offset", std::to_string(from.offset));
  context().forward(Bytes{record.value.bytes}, record.timestamp, headers);
}

}  // namespace thalweg::shop
