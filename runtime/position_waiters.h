#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <thalweg/schemas/ids.h>

namespace thalweg::internal {

/// Those who wait for records to be processed, by input and offset. Not thread-safe.
///
/// Whoever may ask can name a record that never comes: who has stopped waiting is forgotten when
/// the number of those who wait has doubled, so the memory is that of those who still do.
///
/// The end of a waiter may run anything (an unanswered request answers), so none is destroyed in
/// here: whoever holds a lock lets them go after it.
class PositionWaiters {
 public:
  struct Waiter {
    std::function<void()> done = {};
    /// Whether `done` need not be called any more; from any thread, quick, calls nothing back.
    /// Empty: it always must.
    std::function<bool()> is_over = {};

    bool has_stopped() const { return is_over && is_over(); }
  };
  using ByOffset = std::multimap<Offset, Waiter>;

  /// Gives those who have stopped waiting, if it looked.
  [[nodiscard]] std::vector<Waiter> add(const TopicPartition& input, Offset offset, Waiter waiter);
  /// All of `waiting`, which take_all() has given.
  void put_back(const TopicPartition& input, ByOffset waiting);

  /// Those for whose record the input's position is beyond, in the order of their records.
  std::vector<Waiter> take_passed(const TopicPartition& input, Offset position);
  /// Those who wait for the input; some may have stopped.
  ByOffset take_all(const TopicPartition& input);
  /// The earliest record that somebody waits for.
  std::optional<Offset> first(const TopicPartition& input) const;

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kFewest = 64;  // Not worth looking through.

  std::vector<Waiter> take_those_over();

  std::map<TopicPartition, ByOffset> inputs_;  // None of them empty.
  std::size_t size_ = 0;
  std::size_t look_through_at_ = kFewest;
};

}  // namespace thalweg::internal
