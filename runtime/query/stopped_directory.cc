#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include <thalweg/runtime/embedded_log.h>
#include <thalweg/runtime/metrics.h>
#include <thalweg/runtime/stopped_directory.h>

#include "application_record.h"
#include "query/loaded_view.h"
#include "query/query_context.h"
#include "query/query_text.h"

namespace thalweg {
namespace internal {
namespace {

namespace fs = std::filesystem;

/// The partition of a task, by its name (`0_3`).
std::optional<std::int32_t> partition_of_task(std::string_view task) {
  const auto dash = task.find('_');
  if (dash == task.npos) return std::nullopt;
  const auto number = parse_integer(task.substr(dash + 1));
  if (!number) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

/// An application that does not run, as queries see it.
class StoppedSource final : public QuerySource {
 public:
  StoppedSource(RecordedApplication recorded, Log& log, Storage& storage)
      : recorded_(std::move(recorded)), log_(log), storage_(storage) {}

  const std::string& application_id() const override { return recorded_.application_id; }
  StreamsApplication::State state() const override {
    return StreamsApplication::State::kNotRunning;
  }
  std::optional<std::string> failure() const override { return std::nullopt; }
  TopologyDescription topology() const override { return recorded_.topology; }
  std::map<std::string, Topology::TopicSchemas> topic_schemas() const override {
    return recorded_.topics;
  }
  std::vector<TaskInfo> tasks() const override { return {}; }

  std::vector<StoreInfo> stores() const override {
    std::vector<StoreInfo> all;
    for (const auto& store : recorded_.stores) {
      StoreInfo info{.name = store.name,
                     .kind = store.kind,
                     .key_schema = store.key_schema,
                     .value_schema = store.value_schema,
                     .partitions = store.partitions};
      for (std::int32_t i = 0; i < store.partitions; ++i) info.available.push_back(i);
      // What is in the changelog is more; only a walk over it would tell.
      for (const auto& family : families_of(store)) {
        info.approximate_entries += family.second->approximate_entries();
      }
      all.push_back(std::move(info));
    }
    return all;
  }

  Result<std::vector<std::shared_ptr<const StoreView>>> views(
      std::string_view name) const override {
    const auto store = std::ranges::find(recorded_.stores, name, &RecordedStore::name);
    if (store == recorded_.stores.end()) {
      return thalweg::failure(ErrorCode::kNotFound,
                              application_id() + " has no store " + std::string(name));
    }
    const std::lock_guard lock(mutex_);
    auto& views = views_[store->name];
    if (!views.empty()) return views;
    auto loaded = load(*store);
    if (loaded) views = *loaded;
    return loaded;
  }

  std::optional<std::string> changelog(std::string_view name) const override {
    const auto store = std::ranges::find(recorded_.stores, name, &RecordedStore::name);
    if (store == recorded_.stores.end() || store->changelog.empty()) return std::nullopt;
    return store->changelog;
  }
  void when_processed(const TopicPartition&, Offset, std::function<void()> done,
                      std::function<bool()>) override {
    done();  // What was not processed will not be, as nothing runs.
  }

 private:
  /// What is on the disk of the store, by partition.
  std::map<std::int32_t, std::shared_ptr<Family>> families_of(const RecordedStore& store) const {
    std::map<std::int32_t, std::shared_ptr<Family>> found;
    const std::string prefix = application_id() + "/";
    const std::string suffix = "/" + store.name;
    for (const auto& name : storage_.families()) {
      if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
      if (name.size() <= prefix.size() + suffix.size()) continue;
      const auto task = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
      const auto partition = partition_of_task(task);
      if (!partition) continue;
      if (auto family = storage_.open_family(name)) found[*partition] = *family;
    }
    return found;
  }

  Result<std::vector<std::shared_ptr<const StoreView>>> load(const RecordedStore& store) const {
    std::vector<std::shared_ptr<const StoreView>> views;
    const auto topic = store.changelog.empty() ? thalweg::failure(ErrorCode::kNotFound, "")
                                               : log_.topic(store.changelog);
    if (topic) {
      const bool global = store.partitions == 1 && topic->partitions > 1;
      if (global) return load_global(store, topic->partitions);
      for (std::int32_t i = 0; i < topic->partitions; ++i) {
        auto view = view_of_changelog(log_, {store.changelog, i}, store.kind);
        if (!view) return std::unexpected(view.error());
        views.push_back(*std::move(view));
      }
      return views;
    }
    const auto families = families_of(store);
    for (std::int32_t i = 0; i < store.partitions; ++i) {
      const auto family = families.find(i);
      auto view = view_of_family(family == families.end() ? nullptr : family->second);
      if (!view) return std::unexpected(view.error());
      views.push_back(*std::move(view));
    }
    return views;
  }

  /// Every partition of the topic, as one.
  Result<std::vector<std::shared_ptr<const StoreView>>> load_global(const RecordedStore& store,
                                                                    std::int32_t partitions) const {
    auto all = std::make_shared<LoadedView>();
    for (std::int32_t i = 0; i < partitions; ++i) {
      auto read = all->read_changelog(log_, {store.changelog, i}, store.kind);
      if (!read) return std::unexpected(read.error());
    }
    return std::vector<std::shared_ptr<const StoreView>>{std::move(all)};
  }

  const RecordedApplication recorded_;
  Log& log_;
  Storage& storage_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::vector<std::shared_ptr<const StoreView>>> views_;
};

class StoppedDirectoryImpl final : public StoppedDirectory {
 public:
  StoppedDirectoryImpl(std::unique_ptr<Storage> storage, std::unique_ptr<EmbeddedLog> log,
                       std::vector<RecordedApplication> recorded)
      : storage_(std::move(storage)), log_(std::move(log)), recorded_(std::move(recorded)) {}
  ~StoppedDirectoryImpl() override { close(); }

  Log& log() override { return *log_; }
  Storage& storage() override { return *storage_; }
  std::vector<std::string> applications() const override {
    std::vector<std::string> names;
    for (const auto& one : recorded_) names.push_back(one.application_id);
    return names;
  }
  void serve(HttpServer& server) override {
    std::vector<std::unique_ptr<QuerySource>> sources;
    for (const auto& one : recorded_) {
      sources.push_back(std::make_unique<StoppedSource>(one, *log_, *storage_));
    }
    context_ = add_query_routes(server, std::move(sources), *log_, metrics_, system_clock(),
                                {.topics_writable = false});
  }
  void close() override {
    if (context_) context_->close();
    context_.reset();
    if (log_) log_->close();
    log_.reset();
    storage_.reset();
  }

 private:
  MetricsRegistry metrics_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<EmbeddedLog> log_;
  std::vector<RecordedApplication> recorded_;
  ContextPtr context_;
};

}  // namespace
}  // namespace internal

Result<std::unique_ptr<StoppedDirectory>> StoppedDirectory::open(const std::string& directory) {
  using namespace internal;
  std::error_code ignored;
  // Opening makes what is missing: a name that is mistyped must not leave an empty directory, and
  // what is no data directory must stay as it is. The log is what cannot be deleted from one.
  if (!fs::is_directory(fs::path(directory) / "log" / "segments", ignored)) {
    return failure(ErrorCode::kNotFound, directory + " is no data directory of an application");
  }
  auto storage = open_rocksdb_storage(directory);
  if (!storage) return std::unexpected(storage.error());
  auto log = EmbeddedLog::open(**storage, system_clock(), {.background_threads = false});
  if (!log) return std::unexpected(log.error());
  auto recorded = recorded_applications((*storage)->journal());
  if (!recorded) return std::unexpected(recorded.error());
  return std::make_unique<StoppedDirectoryImpl>(*std::move(storage), *std::move(log),
                                                *std::move(recorded));
}

}  // namespace thalweg
