#include <thalweg/topology/streams_builder.h>

namespace thalweg::internal {

StreamJoinNames::StreamJoinNames(StreamGraph& graph, const std::string& given,
                                 const StreamJoinStores& stores, bool left_outer,
                                 bool right_outer) {
  const std::string this_suffix = right_outer ? "-outer-this-join" : "-this-join";
  const std::string other_suffix = left_outer ? "-outer-other-join" : "-other-join";
  const std::string this_prefix = right_outer ? "KSTREAM-OUTERTHIS-" : "KSTREAM-JOINTHIS-";
  if (!given.empty()) check_name(given);
  this_windowed = graph.name_or_new(given, "-this-windowed", "KSTREAM-WINDOWED-");
  other_windowed = graph.name_or_new(given, "-other-windowed", "KSTREAM-WINDOWED-");
  const std::string this_generated = graph.new_name(this_prefix);
  const std::string other_generated =
      graph.new_name(left_outer ? "KSTREAM-OUTEROTHER-" : "KSTREAM-JOINOTHER-");
  this_join = given.empty() ? this_generated : given + this_suffix;
  other_join = given.empty() ? other_generated : given + other_suffix;
  merge = graph.name_or_new(given, "-merge", "KSTREAM-MERGE-");

  const std::string& base = stores.name;
  this_store = (base.empty() ? this_generated : base + this_suffix) + "-store";
  other_store = (base.empty() ? other_generated : base + other_suffix) + "-store";
  if (stores.this_store) this_store = stores.this_store->name;
  if (stores.other_store) other_store = stores.other_store->name;
  if (!left_outer) return;
  const std::string shared_suffix = right_outer ? "-outer-shared-join" : "-left-shared-join";
  shared_store = "KSTREAM-OUTERSHARED-" + this_generated.substr(this_prefix.size());
  if (!base.empty()) shared_store = base + shared_suffix;
  if (stores.this_store && !stores.this_store->name.empty()) {
    shared_store = stores.this_store->name + shared_suffix;
  }
  shared_store += "-store";
}

void check_join_stores(const StreamJoinStores& stores, const JoinWindows& windows) {
  for (const auto* supplier : {&stores.this_store, &stores.other_store}) {
    if (*supplier && (*supplier)->retention < (*supplier)->window_size) {
      throw std::invalid_argument("The retention period of the window store " + (*supplier)->name +
                                  " must be no smaller than its window size.");
    }
  }
  for (const auto* supplier : {&stores.this_store, &stores.other_store}) {
    if (!*supplier) continue;
    const WindowStoreSupplier& store = **supplier;
    if (!store.retain_duplicates) {
      throw StreamsError("store " + store.name +
                         ": the StoreSupplier must set retainDuplicates=true, found "
                         "retainDuplicates=false");
    }
    if (store.retention != windows.size() + windows.grace() ||
        store.window_size != windows.size()) {
      throw StreamsError("Window settings mismatch: store " + store.name +
                         " has a window size of " + std::to_string(store.window_size.count()) +
                         " ms and a retention of " + std::to_string(store.retention.count()) +
                         " ms, the join's windows need " + std::to_string(windows.size().count()) +
                         " and " + std::to_string((windows.size() + windows.grace()).count()));
    }
  }
  if (stores.this_store && stores.other_store &&
      stores.this_store->name == stores.other_store->name) {
    throw StreamsError("both stores of a join have the name " + stores.this_store->name +
                       ". StoreSuppliers must provide unique names");
  }
}

StoreOptions join_store_options(const StreamGraph& graph, const StreamJoinStores& stores,
                                const std::optional<WindowStoreSupplier>& supplier) {
  if (supplier) return {.persistent = supplier->persistent};
  return {.persistent = graph.is_persistent(stores.persistent),
          .logging = stores.logging,
          .changelog_config = stores.changelog_config};
}

}  // namespace thalweg::internal
