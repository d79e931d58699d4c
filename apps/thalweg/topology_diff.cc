#include "topology_diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "lineage.h"

namespace thalweg::cli {
namespace {

constexpr std::string_view kChangelog = "-changelog";

std::string joined(const std::set<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// One difference of shape: "partitions 3 -> 6". Nothing where a side does not know.
template <typename T>
void note(std::string_view what, const T& before, const T& after, std::string& out) {
  const auto text = [](const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      return value;
    } else {
      return std::to_string(value);
    }
  };
  if (before == T{} || after == T{} || before == after) return;
  out += (out.empty() ? "" : ", ") + std::string(what) + " " + text(before) + " -> " + text(after);
}

std::string shape_changes(const StoreShape& before, const StoreShape& after) {
  std::string changes;
  note("type", before.type, after.type, changes);
  note("key", before.key_schema, after.key_schema, changes);
  note("value", before.value_schema, after.value_schema, changes);
  note("partitions", before.partitions, after.partitions, changes);
  return changes;
}

std::string shape_changes(const TopicShape& before, const TopicShape& after) {
  std::string changes;
  note("partitions", before.partitions, after.partitions, changes);
  note("cleanup", before.cleanup_policy, after.cleanup_policy, changes);
  if (before.retention_ms != after.retention_ms) {
    changes += (changes.empty() ? "" : ", ") + std::string("retention ") +
               std::to_string(before.retention_ms) + " ms -> " +
               std::to_string(after.retention_ms) + " ms";
  }
  return changes;
}

/// The stores of the plan, with what is known of their shape.
std::map<std::string, StoreShape> stores_of(const ApplicationDescription& description) {
  std::map<std::string, StoreShape> stores;
  for (const auto& subtopology : description.topology.subtopologies) {
    for (const auto& node : subtopology.nodes) {
      for (const auto& store : node.stores) stores[store].name = store;
    }
  }
  for (const auto& store : description.stores) stores[store.name] = store;
  return stores;
}

/// Whether the topic, by its name without the application's, only stands for tasks. It never has
/// records, so nothing is lost with it.
bool is_always_empty(std::string_view topic) {
  constexpr std::string_view kBegin = "thalweg-tasks-";
  constexpr std::string_view kEnd = "-repartition";
  if (!topic.starts_with(kBegin) || !topic.ends_with(kEnd)) return false;
  if (topic.size() <= kBegin.size() + kEnd.size()) return false;
  topic.remove_prefix(kBegin.size());
  topic.remove_suffix(kEnd.size());
  return std::ranges::all_of(topic, [](char c) { return c >= '0' && c <= '9'; });
}

/// Internal topics by their names without the application's: those that are known to exist, and the
/// repartition topics of the plan; without those that are always empty.
std::map<std::string, TopicShape> topics_of(const ApplicationDescription& description) {
  std::map<std::string, TopicShape> topics;
  const auto prefix = description.application + '-';
  for (const auto& subtopology : description.topology.subtopologies) {
    for (const auto& node : subtopology.nodes) {
      const bool is_source = node.kind == TopologyDescription::NodeKind::kSource;
      for (const auto& topic : node.topics) {
        if (is_source && topic.ends_with("-repartition")) topics[topic].name = prefix + topic;
      }
    }
  }
  for (const auto& topic : description.topics) {
    const bool own = topic.name.starts_with(prefix);
    topics[own ? topic.name.substr(prefix.size()) : topic.name] = topic;
  }
  std::erase_if(topics, [](const auto& topic) { return is_always_empty(topic.first); });
  return topics;
}

/// Compares one application's two versions.
class Comparison {
 public:
  Comparison(const ApplicationDescription& before, const ApplicationDescription& after)
      : before_(before),
        after_(after),
        old_lineage_(before.topology),
        new_lineage_(after.topology),
        old_stores_(stores_of(before)),
        new_stores_(stores_of(after)) {}

  std::vector<Change> run() {
    match_named();
    match_generated();
    match_renamed();
    add_rest();
    compare_topics();
    return std::move(changes_);
  }

 private:
  /// What a store computes, whatever it is called.
  struct Computation {
    std::string kind;
    std::set<std::string> sources;
    std::string type, key, value;
    auto operator<=>(const Computation&) const = default;
  };

  static Computation computation(const StoreShape& store, const Lineage& lineage,
                                 const std::string& kind) {
    return {kind, lineage.sources_of_store(store.name), store.type, store.key_schema,
            store.value_schema};
  }

  void add(Fate fate, const std::string& before, const std::string& after, std::string reason = {},
           std::string advice = {}) {
    changes_.push_back({Change::Kind::kStore, after_.application, before, after, fate,
                        std::move(reason), std::move(advice)});
    if (!before.empty()) matched_old_[before] = after;
    if (!after.empty()) matched_new_[after] = before;
  }

  /// Names that people gave mean the same thing in both.
  void match_named() {
    for (const auto& [name, store] : old_stores_) {
      const auto found = new_stores_.find(name);
      if (GeneratedName::parse(name) || found == new_stores_.end()) continue;
      keep(store, found->second);
    }
  }

  void keep(const StoreShape& before, const StoreShape& after) {
    auto changes = shape_changes(before, after);
    if (changes.empty()) return add(Fate::kStays, before.name, after.name);
    add(Fate::kRebuild, before.name, after.name, std::move(changes),
        "give it a new name, or reset the application");
  }

  using ByComputation = std::map<Computation, std::vector<std::string>>;

  /// Those with generated names, each group in the order of the numbers.
  ByComputation generated(const std::map<std::string, StoreShape>& stores,
                          const Lineage& lineage) const {
    ByComputation groups;
    for (const auto& [name, store] : stores) {  // Of one kind, in the order of their numbers.
      const auto parts = GeneratedName::parse(name);
      if (parts) groups[computation(store, lineage, parts->kind)].push_back(name);
    }
    return groups;
  }

  void match_generated() {
    const auto old_groups = generated(old_stores_, old_lineage_);
    for (const auto& [what, after] : generated(new_stores_, new_lineage_)) {
      const auto found = old_groups.find(what);
      if (found == old_groups.end()) continue;
      match_group(found->second, after);
    }
    // What is left under the same name is the same step of the plan with another shape.
    for (const auto& [name, store] : old_stores_) {
      const auto found = new_stores_.find(name);
      if (!GeneratedName::parse(name) || matched_old_.contains(name)) continue;
      if (found == new_stores_.end() || matched_new_.contains(name)) continue;
      if (old_lineage_.sources_of_store(name) == new_lineage_.sources_of_store(name)) {
        keep(store, found->second);
      }
    }
  }

  /// Equal names first, as far as there are as many of them; the others in their order.
  void match_group(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    if (before.size() == after.size()) {
      for (std::size_t i = 0; i < before.size(); ++i) match(before[i], after[i]);
      return;
    }
    std::vector<std::string> old_rest;
    std::vector<std::string> new_rest;
    std::ranges::set_difference(before, after, std::back_inserter(old_rest));
    std::ranges::set_difference(after, before, std::back_inserter(new_rest));
    for (const auto& name : before) {
      if (std::ranges::binary_search(after, name)) match(name, name);
    }
    for (std::size_t i = 0; i < std::min(old_rest.size(), new_rest.size()); ++i) {
      match(old_rest[i], new_rest[i]);
    }
  }

  void match(const std::string& before, const std::string& after) {
    if (before == after) return keep(old_stores_.at(before), new_stores_.at(after));
    moved(before, after, "the generated number shifted");
  }

  void moved(const std::string& before, const std::string& after, const std::string& why) {
    const bool taken = old_stores_.contains(after) && after != before;
    std::string advice = "Materialized{.store = \"" + before + "\"} keeps it";
    if (!taken) return add(Fate::kMoved, before, after, why, std::move(advice));
    add(Fate::kClashes, before, after,
        why + "; " + after + " has been another store, whose changelog it would read",
        std::move(advice));
  }

  /// A store that got a name, or lost it.
  void match_renamed() {
    for (const auto& [old_name, before] : old_stores_) {
      if (matched_old_.contains(old_name)) continue;
      for (const auto& [new_name, after] : new_stores_) {
        if (matched_new_.contains(new_name)) continue;
        const bool one_generated = GeneratedName::parse(old_name).has_value() !=
                                   GeneratedName::parse(new_name).has_value();
        if (!one_generated) continue;
        if (computation(before, old_lineage_, "") != computation(after, new_lineage_, "")) continue;
        moved(old_name, new_name, "the store is named otherwise");
        break;
      }
    }
  }

  void add_rest() {
    for (const auto& [name, store] : old_stores_) {
      if (matched_old_.contains(name)) continue;
      add(Fate::kOrphaned, name, {}, "nothing uses it any more: " + origin(old_lineage_, name));
    }
    for (const auto& [name, store] : new_stores_) {
      if (matched_new_.contains(name)) continue;
      if (!old_stores_.contains(name)) {
        add(Fate::kAdded, {}, name, origin(new_lineage_, name));
        continue;
      }
      add(Fate::kClashes, {}, name,
          "it has been another store, whose changelog it would read: " + origin(new_lineage_, name),
          "name it: Materialized{.store = \"...\"}");
    }
  }

  static std::string origin(const Lineage& lineage, const std::string& store) {
    const auto& sources = lineage.sources_of_store(store);
    return sources.empty() ? "of no topic" : "of " + joined(sources);
  }

  // --- Topics ---------------------------------------------------------------------------------

  /// What the fate of a changelog's store means for it; absent for another topic.
  const Change* store_change(const std::string& topic) const {
    if (!topic.ends_with(kChangelog)) return nullptr;
    const auto store = topic.substr(0, topic.size() - kChangelog.size());
    const auto found = std::ranges::find_if(changes_, [&](const Change& change) {
      return change.kind == Change::Kind::kStore &&
             (change.old_name == store || change.new_name == store);
    });
    return found == changes_.end() ? nullptr : &*found;
  }

  void compare_topics() {
    const auto before = topics_of(before_);
    const auto after = topics_of(after_);
    std::vector<Change> found;
    for (const auto& [name, topic] : before) {
      const auto still = after.find(name);
      if (still != after.end()) {
        found.push_back(kept_topic(topic, still->second, store_change(name)));
      } else {
        found.push_back(gone_topic(name, topic));
      }
    }
    for (const auto& [name, topic] : after) {
      if (before.contains(name)) continue;
      found.push_back(topic_change(Fate::kAdded, {}, topic.name));
    }
    changes_.insert(changes_.end(), found.begin(), found.end());
  }

  Change topic_change(Fate fate, std::string before, std::string after, std::string reason = {},
                      std::string advice = {}) const {
    return {Change::Kind::kTopic, after_.application, std::move(before), std::move(after), fate,
            std::move(reason),    std::move(advice)};
  }

  Change kept_topic(const TopicShape& before, const TopicShape& after, const Change* store) const {
    const bool reused = store && (store->fate == Fate::kClashes || store->fate == Fate::kRebuild);
    if (reused) {
      return topic_change(store->fate, before.name, after.name, "as its store " + store->name());
    }
    auto changes = shape_changes(before, after);
    if (changes.empty()) return topic_change(Fate::kStays, before.name, after.name);
    const bool partitions =
        before.partitions != after.partitions && before.partitions > 0 && after.partitions > 0;
    return topic_change(Fate::kRebuild, before.name, after.name, std::move(changes),
                        partitions ? "reset the application, or keep the number of partitions"
                                   : "change the topic's settings, and delete the local state, "
                                     "which is then restored");
  }

  Change gone_topic(const std::string& name, const TopicShape& topic) const {
    const auto* store = store_change(name);
    // A description made without running says nothing of changelogs: the store tells.
    if (store && store->fate == Fate::kStays) {
      return topic_change(Fate::kStays, topic.name, topic.name);
    }
    std::string advice = name.ends_with("-repartition")
                             ? "let the old version read it to its end before it is replaced"
                             : "delete it once nobody wants to go back";
    return topic_change(Fate::kOrphaned, topic.name, {}, "nothing uses it any more",
                        std::move(advice));
  }

  const ApplicationDescription& before_;
  const ApplicationDescription& after_;
  const Lineage old_lineage_;
  const Lineage new_lineage_;
  const std::map<std::string, StoreShape> old_stores_;
  const std::map<std::string, StoreShape> new_stores_;
  std::map<std::string, std::string> matched_old_;
  std::map<std::string, std::string> matched_new_;
  std::vector<Change> changes_;
};

const ApplicationDescription* find(const std::vector<ApplicationDescription>& all,
                                   const std::string& application) {
  const auto found = std::ranges::find(all, application, &ApplicationDescription::application);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name_of(Fate fate) {
  constexpr std::string_view kNames[] = {"stays",   "added",   "moved",
                                         "clashes", "rebuild", "orphaned"};
  return kNames[static_cast<std::size_t>(fate)];
}

std::string_view name_of(Change::Kind kind) {
  return kind == Change::Kind::kStore ? "store" : "topic";
}

bool loses_state(Fate fate) { return fate != Fate::kStays && fate != Fate::kAdded; }

bool TopologyDiff::loses_state() const {
  return std::ranges::any_of(changes, cli::loses_state, &Change::fate);
}

bool TopologyDiff::differs() const {
  return nodes_differ || std::ranges::any_of(changes, [](const Change& change) {
           return change.fate != Fate::kStays || !change.reason.empty();
         });
}

TopologyDiff compare(const std::vector<ApplicationDescription>& before,
                     const std::vector<ApplicationDescription>& after) {
  TopologyDiff diff;
  const auto compare_one = [&](const ApplicationDescription& was,
                               const ApplicationDescription& is) {
    diff.nodes_differ = diff.nodes_differ || was.topology.to_text() != is.topology.to_text();
    auto changes = Comparison(was, is).run();
    std::ranges::stable_sort(changes, {}, [](const Change& change) {
      return std::tuple(change.kind,
                        static_cast<int>(Fate::kOrphaned) - static_cast<int>(change.fate));
    });
    diff.changes.insert(diff.changes.end(), changes.begin(), changes.end());
  };
  for (const auto& is : after) {
    const auto* was = find(before, is.application);
    const ApplicationDescription nothing{.application = is.application};
    compare_one(was ? *was : nothing, is);
  }
  for (const auto& was : before) {
    if (find(after, was.application)) continue;
    compare_one(was, ApplicationDescription{.application = was.application});
  }
  return diff;
}

}  // namespace thalweg::cli
