#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>

namespace thalweg {

/// What may go wrong in a SimulatedLog. By default nothing does, and everything happens at once: a
/// prompt log in memory. Delays are drawn evenly from zero to their maximum.
struct SimulatedLogOptions {
  std::uint64_t seed = 1;
  std::int32_t default_partitions = 1;  ///< Of topics that are written or subscribed to.

  // --- How long things take -----------------------------------------------------------------

  std::chrono::milliseconds event_delay_max{0};   ///< Until an answer or a group event is heard.
  std::chrono::milliseconds fetch_delay_max{0};   ///< Until a reader gets what it may read.
  std::chrono::milliseconds marker_delay_max{0};  ///< From a commit to its markers, per partition.
  std::chrono::milliseconds rebalance_delay_max{0};
  /// How long the group waits for members that crash_clients() took away.
  std::chrono::milliseconds session_timeout{10'000};
  /// When an EndTxn whose answer was lost arrives after all; zero: never.
  std::chrono::milliseconds late_end_max{0};

  // --- How often things go wrong (0 to 1) ---------------------------------------------------

  double flush_aborts = 0;        ///< Records could not be delivered.
  double offsets_abort = 0;       ///< send_offsets() fails.
  double commit_aborts = 0;       ///< commit() fails and says so.
  double commit_unknown = 0;      ///< The answer of commit() is lost.
  double unknown_happened = 0.5;  ///< Whether that commit had happened.
  double producer_fails = 0;      ///< Any operation of a producer: fatal.
  double member_expires = 0;  ///< Per poll(): the group gives the member up; it hears of it later.
  double fetch_empty = 0;     ///< fetch() gives nothing although there is something.

  std::size_t fetch_records_max = std::numeric_limits<std::size_t>::max();
  /// Commit and abort markers take offsets, as on Kafka.
  bool control_records = true;
};

/// The log port in memory, in virtual time, with the hazards of a broker and its client.
///
/// Records of open transactions take their offsets at once and hold back readers; markers come
/// later than the answer to the commit; the answer may be lost; a group may give up a member that
/// does not know it yet. Everything follows from the seed, the clock and the calls. Everything is
/// durable.
class SimulatedLog : public Log {
 public:
  enum class Step : std::uint8_t { kInit, kFlush, kSendOffsets, kCommit, kAbort };

  /// Lets everything happen that is due by the clock; returns whether anything did. Calls of
  /// clients do so too; this one is for waking those that wait.
  virtual bool step() = 0;
  /// When the next thing is due.
  virtual std::optional<Clock::Instant> next_due() const = 0;

  /// The next `step` of a producer ends with `kind`, whatever the probabilities say. For a commit
  /// of unknown outcome, `happened` tells whether it did.
  virtual void fail_next(Step step, ProducerEvent::Kind kind, bool happened = false) = 0;
  /// The group gives up the member of that client id now; the member hears kLost later.
  virtual void expire_member(const std::string& group, const std::string& client_id) = 0;
  /// Every client made so far is dead, as if its process had been killed: it leaves no group and
  /// ends no transaction. The objects may be destroyed later.
  virtual void crash_clients() = 0;
  /// From now on nothing goes wrong and nothing takes time; what is under way still ends as it
  /// would.
  virtual void heal() = 0;
};

/// `clock` must outlive the log.
std::unique_ptr<SimulatedLog> make_simulated_log(Clock& clock, SimulatedLogOptions options);

}  // namespace thalweg
