#pragma once

#include <cstdint>

#include <boost/json/value.hpp>

#include <thalweg/state/stores.h>

#include "golden/spec_functions.h"

namespace thalweg::golden {

/// What the probes of stores of windows do with one record: they change the store or digest what it
/// shows, as the record's value says.
class WindowProbe {
 public:
  /// `timestamped`: whether values show their timestamps.
  WindowProbe(const boost::json::value& parameters, bool timestamped);

  /// Whether the store has the key within the gap before the time; if not, it has it now.
  bool seen(WindowStore<Key, std::int64_t>& store, const Key& key, std::int64_t value,
            Timestamp time) const;
  std::int64_t windows(WindowStore<Key, std::int64_t>& store, const Key& key, std::int64_t u,
                       Timestamp time) const;
  std::int64_t sessions(SessionStore<Key, std::int64_t>& store, const Key& key, std::int64_t u,
                        Timestamp time) const;

 private:
  using Iterator = WindowedIterator<Key, std::int64_t>;

  std::int64_t shown(const ValueAndTimestamp<std::int64_t>* entry) const;
  std::int64_t by_start(std::unique_ptr<Iterator> walk) const;
  std::int64_t by_session(std::unique_ptr<Iterator> walk) const;
  std::int64_t by_key(std::unique_ptr<Iterator> walk) const;

  const std::int64_t span_;
  const std::int64_t gap_;
  const bool ordered_;
  const bool timestamped_;
};

}  // namespace thalweg::golden
