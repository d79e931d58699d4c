#include <thalweg/topology/internal/operators/stream_table_grace_join.h>

namespace thalweg::internal {

void refuse_grace_without_versions() {
  throw std::invalid_argument(
      "KTable must be versioned to use a grace period in a stream table join.");
}

RecordBuffer& record_buffer_of(TaskContext& context, const std::string& name) {
  auto* buffer = dynamic_cast<RecordBuffer*>(&context.store(name));
  if (!buffer) throw TopologyError("store " + name + " is no buffer of records");
  return *buffer;
}

}  // namespace thalweg::internal
