#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

/// Which keys a store of `max` entries beneath a record cache holds, and which it has forgotten
/// while the cache still shows them.
class LruUnderCache {
 public:
  explicit LruUnderCache(std::size_t max) : max_(max) {}

  bool holds(BytesView key) const {
    const auto found = places_.find(std::string(key));
    return found != places_.end() && found->second->is_held;
  }
  /// Puts a key that takes that many bytes. Returns the one that it drives out, if there is one.
  std::optional<std::string> put(BytesView key, std::size_t bytes) {
    remove(key);
    held_.push_back({std::string(key), bytes, true});
    places_[held_.back().key] = std::prev(held_.end());
    if (held_.size() <= max_) return std::nullopt;
    Entry& eldest = held_.front();
    eldest.is_held = false;
    forgotten_bytes_ += eldest.bytes;
    forgotten_.splice(forgotten_.end(), held_, held_.begin());
    return eldest.key;
  }
  void remove(BytesView key) {
    const auto found = places_.find(std::string(key));
    if (found == places_.end()) return;
    const auto place = found->second;
    places_.erase(found);
    if (!place->is_held) forgotten_bytes_ -= place->bytes;
    (place->is_held ? held_ : forgotten_).erase(place);
  }
  /// While what is forgotten takes more than that: the key that was forgotten first.
  std::optional<std::string> give_up(std::size_t most_bytes) {
    if (forgotten_.empty() || forgotten_bytes_ <= most_bytes) return std::nullopt;
    std::string key = forgotten_.front().key;
    remove(key);
    return key;
  }
  void clear() {
    held_.clear();
    forgotten_.clear();
    places_.clear();
    forgotten_bytes_ = 0;
  }

 private:
  struct Entry {
    std::string key;
    std::size_t bytes;
    bool is_held;
  };

  const std::size_t max_;
  std::list<Entry> held_;  // The one written last comes last; so in what is forgotten.
  std::list<Entry> forgotten_;
  boost::unordered_flat_map<std::string, std::list<Entry>::iterator> places_;
  std::size_t forgotten_bytes_ = 0;
};

}  // namespace thalweg::internal
