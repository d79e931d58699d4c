#include "query/query_source.h"

namespace thalweg::internal {

namespace {

class ApplicationSource final : public QuerySource {
 public:
  explicit ApplicationSource(StreamsApplication& application) : application_(application) {}

  const std::string& application_id() const override {
    return application_.config().application_id;
  }
  StreamsApplication::State state() const override { return application_.state(); }
  std::optional<std::string> failure() const override { return application_.failure(); }
  TopologyDescription topology() const override { return application_.topology().describe(); }
  std::map<std::string, Topology::TopicSchemas> topic_schemas() const override {
    return application_.topology().topic_schemas();
  }
  std::vector<TaskInfo> tasks() const override { return application_.tasks(); }
  std::vector<StoreInfo> stores() const override { return application_.stores(); }
  Result<std::vector<std::shared_ptr<const StoreView>>> views(
      std::string_view store) const override {
    return application_.views(store);
  }
  std::optional<std::string> changelog(std::string_view store) const override {
    const auto changelog = application_.topology().changelog(store);
    if (!changelog) return std::nullopt;
    return changelog->internal ? application_id() + "-" + changelog->topic : changelog->topic;
  }
  std::optional<std::string> active_host(std::string_view store,
                                         std::int32_t partition) const override {
    return application_.active_host(store, partition);
  }
  std::optional<StandbyView> standby(std::string_view store,
                                     std::int32_t partition) const override {
    return application_.standby(store, partition);
  }
  std::string host() const override { return application_.config().application_server; }
  bool reads(const TopicPartition& input) const override { return application_.reads(input); }
  void when_processed(const TopicPartition& input, Offset offset, std::function<void()> done,
                      std::function<bool()> is_over) override {
    application_.when_processed(input, offset, std::move(done), std::move(is_over));
  }

 private:
  StreamsApplication& application_;
};

}  // namespace

std::unique_ptr<QuerySource> query_source(StreamsApplication& application) {
  return std::make_unique<ApplicationSource>(application);
}

}  // namespace thalweg::internal
