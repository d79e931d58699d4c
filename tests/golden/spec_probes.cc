#include "golden/spec_probes.h"

#include <algorithm>
#include <chrono>

#include "golden/spec_topology.h"

namespace thalweg::golden {

using std::chrono::milliseconds;

WindowProbe::WindowProbe(const boost::json::value& parameters, bool timestamped)
    : span_(number_or(parameters, "span", 1)),
      gap_(number_or(parameters, "gap", 0)),
      ordered_(flag_or(parameters, "ordered", false)),
      timestamped_(timestamped) {}

bool WindowProbe::seen(WindowStore<Key, std::int64_t>& store, const Key& key, std::int64_t value,
                       Timestamp time) const {
  const Timestamp from = std::max(from_millis(0), time - milliseconds(gap_));
  if (store.fetch(key, from, time)->valid()) return true;
  store.put(key, value, time);
  return false;
}

std::int64_t WindowProbe::windows(WindowStore<Key, std::int64_t>& store, const Key& key,
                                  std::int64_t u, Timestamp time) const {
  const Timestamp from = std::max(from_millis(0), time - milliseconds(span_));
  const Timestamp to = time + milliseconds(span_);
  switch (floor_mod(u, 12)) {
    case 0:
    case 1:
    case 2:
      store.put(key, u, time);
      return 0;
    case 3:
      store.remove(key, time);
      return 0;
    case 4:
      return by_start(store.fetch(key, from, to));
    case 5:
      return by_start(store.fetch(key, from, to, true));
    case 6:
      return by_key(store.fetch(key, Key(key.text() + "~"), from, to));
    case 7:
      return shown(store.fetch_with_timestamp(key, time));
    case 8:
      return by_key(store.fetch_all(from, to));
    case 9:
      return by_key(store.fetch_all(from, to, true));
    case 10:
      return by_key(store.all());
    default:
      return by_key(store.all(true));
  }
}

std::int64_t WindowProbe::sessions(SessionStore<Key, std::int64_t>& store, const Key& key,
                                   std::int64_t u, Timestamp time) const {
  const Timestamp end = time + milliseconds(floor_mod(u, span_));
  const Timestamp from = std::max(from_millis(0), time - milliseconds(span_));
  const Timestamp to = time + milliseconds(span_);
  const Key last(key.text() + "~");
  switch (floor_mod(u, 10)) {
    case 0:
    case 1:
    case 2:
      store.put({key, {time, end}}, u);
      return 0;
    case 3:
      store.remove({key, {time, end}});
      return 0;
    case 4:
      return by_session(store.find_sessions(key, from, to));
    case 5:
      return by_session(store.find_sessions(key, from_millis(0), time));
    case 6:
      return by_session(store.fetch(key));
    case 7: {
      const std::int64_t* value = store.fetch_session(key, time, end);
      return value ? *value : -1;
    }
    case 8:
      return by_key(store.fetch(key, last));
    default:
      return by_key(store.find_sessions(key, last, from, to));
  }
}

std::int64_t WindowProbe::shown(const ValueAndTimestamp<std::int64_t>* entry) const {
  if (!entry) return -1;
  return timestamped_ ? mix(entry->value, to_millis(entry->timestamp)) : entry->value;
}

std::int64_t WindowProbe::by_start(std::unique_ptr<Iterator> walk) const {
  std::int64_t hash = 17;
  for (; walk->valid(); walk->next()) {
    hash = mix(mix(hash, to_millis(walk->key().window.start)), shown(&walk->value()));
  }
  return hash;
}

std::int64_t WindowProbe::by_session(std::unique_ptr<Iterator> walk) const {
  std::int64_t hash = 17;
  for (; walk->valid(); walk->next()) {
    const Window& window = walk->key().window;
    hash = mix(mix(mix(hash, to_millis(window.start)), to_millis(window.end)), walk->value().value);
  }
  return hash;
}

std::int64_t WindowProbe::by_key(std::unique_ptr<Iterator> walk) const {
  std::int64_t hash = 17;
  for (; walk->valid(); walk->next()) {
    const std::int64_t x = mix(key_hash(golden::shown(walk->key())), shown(&walk->value()));
    hash = ordered_ ? mix(hash, x) : wrap_add(hash, x);
  }
  return hash;
}

}  // namespace thalweg::golden
