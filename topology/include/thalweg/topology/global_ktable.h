#pragma once

#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/stream_graph.h>

namespace thalweg {

namespace internal {
template <typename K, typename V>
class TableSupplier;
}

/// A table of which every instance of the application has all rows, whatever the partition.
///
/// So a stream joins it by any key it likes, without repartitioning. It is restored before the
/// first record is processed and then kept up to date beside the tasks: which of two changes, of
/// the table and of a stream, is seen first is not decided by their timestamps.
template <typename K, typename V>
class GlobalKTable {
 public:
  using Key = K;
  using Value = V;

  /// The name under which the table can be queried.
  const std::string& queryable_store_name() const { return store_; }

 private:
  friend struct internal::Dsl;
  GlobalKTable(std::shared_ptr<internal::TableSupplier<K, V>> supplier, std::string store)
      : supplier_(std::move(supplier)), store_(std::move(store)) {}

  std::shared_ptr<internal::TableSupplier<K, V>> supplier_;
  std::string store_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
