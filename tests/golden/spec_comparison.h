#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace thalweg::golden {

/// One part of a result that is not as it was recorded.
struct Difference {
  std::string section;
  std::string where;  ///< The first place, with what was recorded and what came.
};

/// Compares a result of run_spec() with the recorded one, section by section:
///
///   error     both without error, or the same phase, class and step
///   cause     the same class of the innermost cause, where both have the same error
///   outputs   per topic the same records in order, each from the same input step
///   order     the same order over all topics
///   repart    repartition and foreign-key topics: the same bytes, timestamps, headers and steps
///   changelog changelog topics: the same, per key
///   clorder   and in the same order over all keys of a topic
///   stores    what the stores hold in the end
///   metrics   drops, processed records, punctuations, emissions
///   structure describe(), with its lists sorted
///   describe  describe(), the exact text; compared only where structure is equal
///
/// Sections come in that order. After an unequal error the rest says nothing and is left out.
std::vector<Difference> compare(const boost::json::object& recorded,
                                const boost::json::object& result);

/// What a result's error says is not built; empty: it has no such error.
std::string not_built(const boost::json::object& result);

}  // namespace thalweg::golden
