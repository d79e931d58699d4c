#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <thalweg/runtime/log.h>
#include <thalweg/runtime/peers.h>

#include "position_waiters.h"

namespace thalweg::internal {

/// Those who wait for records to be processed by tasks of other processes.
///
/// For each input one question is under way at most, about the earliest record that somebody waits
/// for; its answer tells how far the task is, and lets go everybody up to there. A task that nobody
/// is known to have, or that moves, is asked for again until somebody has it, or nobody waits any
/// more. Thread-safe.
class RemotePositions : public std::enable_shared_from_this<RemotePositions> {
 public:
  using Waiter = PositionWaiters::Waiter;

  struct Setup {
    Peers* peers = nullptr;  ///< Must outlive close().
    std::string application_id;
    /// The process whose task reads the input, if it is another one that is known.
    std::function<std::optional<std::string>(const TopicPartition& input)> owner;
    /// Takes over who waits for an input whose task is here, if it is.
    std::function<bool(const TopicPartition& input, Offset offset, Waiter& waiter)> take_here;
  };

  explicit RemotePositions(Setup setup) : setup_(std::move(setup)) {}

  void when_processed(const TopicPartition& input, Offset offset, Waiter waiter);
  /// Forgets everyone who waits; nothing of the setup is called any more.
  void close();

 private:
  void look(const TopicPartition& input);
  void ask(const std::string& server, const TopicPartition& input);
  void take(const TopicPartition& input, const std::optional<HttpResponse>& answer);
  void look_later(const TopicPartition& input);

  const Setup setup_;
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable calm_;
  PositionWaiters waiters_;
  std::set<TopicPartition> asked_about_;
  int calling_ = 0;
  bool closed_ = false;
};

}  // namespace thalweg::internal
