#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "description.h"

namespace thalweg::cli {

/// What a new version of an application finds of one store or topic that the old one left.
enum class Fate : std::uint8_t {
  kStays,     ///< Same name, same shape: it goes on.
  kAdded,     ///< Begins empty; nothing is lost.
  kMoved,     ///< The same computation under another generated name: begins empty, and what the old
              ///< name holds is left behind.
  kClashes,   ///< The name is that of another computation now: it would read what it cannot use.
  kRebuild,   ///< Same name, another shape: what is there cannot be used.
  kOrphaned,  ///< Nothing uses it any more.
};
std::string_view name_of(Fate fate);
/// Whether state is lost, or has to be rebuilt.
bool loses_state(Fate fate);

struct Change {
  enum class Kind : std::uint8_t { kStore, kTopic };
  Kind kind = Kind::kStore;
  std::string application;
  std::string old_name;  ///< Empty: there was none.
  std::string new_name;  ///< Empty: there is none.
  Fate fate = Fate::kStays;
  std::string reason;  ///< What differs.
  std::string advice;  ///< What keeps the state, if anything does.

  const std::string& name() const { return new_name.empty() ? old_name : new_name; }
};
std::string_view name_of(Change::Kind kind);

struct TopologyDiff {
  std::vector<Change> changes;  ///< Of every store and internal topic, by application and fate.
  bool nodes_differ = false;    ///< Nodes were added, removed, renamed or rewired.

  bool loses_state() const;
  bool differs() const;
};

/// Compares what two versions keep. Stores with names of their own are matched by name. Generated
/// names count the nodes before them, so they shift when one is added: stores with such names are
/// matched by what they compute, that is the kind of name, the topics they come from and their
/// types, in the order of their numbers.
TopologyDiff compare(const std::vector<ApplicationDescription>& before,
                     const std::vector<ApplicationDescription>& after);

}  // namespace thalweg::cli
