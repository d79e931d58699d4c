#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/streams_application.h>

namespace thalweg::internal {

/// What queries ask of an application; a seam, so that they can be tested without running one.
class QuerySource {
 public:
  virtual ~QuerySource() = default;
  virtual const std::string& application_id() const = 0;
  virtual StreamsApplication::State state() const = 0;
  virtual std::optional<std::string> failure() const = 0;
  virtual TopologyDescription topology() const = 0;
  virtual std::map<std::string, Topology::TopicSchemas> topic_schemas() const = 0;
  virtual std::vector<TaskInfo> tasks() const = 0;
  virtual std::vector<StoreInfo> stores() const = 0;
  virtual Result<std::vector<std::shared_ptr<const StoreView>>> views(
      std::string_view store) const = 0;
  /// The topic that has every change of the store, by its full name; nothing when logging is off.
  virtual std::optional<std::string> changelog(std::string_view store) const = 0;
  /// Where queries for a partition of the store are answered, when that is another process.
  virtual std::optional<std::string> active_host(std::string_view store,
                                                 std::int32_t partition) const {
    static_cast<void>(store), static_cast<void>(partition);
    return std::nullopt;
  }
  /// A copy of that partition that is kept here.
  virtual std::optional<StandbyView> standby(std::string_view store,
                                             std::int32_t partition) const {
    static_cast<void>(store), static_cast<void>(partition);
    return std::nullopt;
  }
  /// This process's own name for the others; empty: it has none.
  virtual std::string host() const { return {}; }
  /// StreamsApplication::reads().
  virtual bool reads(const TopicPartition& input) const {
    static_cast<void>(input);
    return true;
  }
  /// StreamsApplication::when_processed().
  virtual void when_processed(const TopicPartition& input, Offset offset,
                              std::function<void()> done, std::function<bool()> is_over) = 0;
};

/// A running application as such a source.
std::unique_ptr<QuerySource> query_source(StreamsApplication& application);

}  // namespace thalweg::internal
