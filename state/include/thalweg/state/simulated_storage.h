#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/state/storage.h>

namespace thalweg {

/// Thrown by a simulation's step hook to end the process that the storage is playing disk for.
struct SimulatedCrash : std::exception {
  const char* what() const noexcept override { return "simulated crash"; }
};

/// Storage in memory that can crash, forget and fail: the disk of tests and simulations.
///
/// The object is the disk. It outlives the processes of a simulation: after crash(), handles that
/// were given out before (the journal, families, cursors' sources) belong to a dead process and
/// answer kUnavailable, and a new process asks journal() and open_family() again. Deterministic: it
/// reads no clock and draws no random number of its own. Safe from any thread, except that crash()
/// and the fault switches must not race with calls of the process they end.
class SimulatedStorage final : public Storage {
 public:
  struct Options {
    std::function<void(const std::string& message)> on_damage = {};
  };

  SimulatedStorage();
  explicit SimulatedStorage(Options options);
  ~SimulatedStorage() override;

  Journal& journal() override;
  Result<std::shared_ptr<Family>> open_family(const std::string& name) override;
  Status drop_family(const std::string& name) override;
  std::vector<std::string> families() const override;

  // --- Crashes ------------------------------------------------------------------------------

  /// How many appended batches no finished sync() covers.
  std::size_t unsynced_batches() const;
  /// The process dies and so does the machine: of the batches that were not synced, only the first
  /// `surviving` are left. Ingested entries stay: ingest() is durable.
  void crash(std::size_t surviving = 0);
  /// A crash after which any number of unsynced batches may have survived.
  template <std::uniform_random_bit_generator Random>
  void crash_at_random(Random& random) {
    crash(static_cast<std::size_t>(random() % (unsynced_batches() + 1)));
  }

  // --- Faults -------------------------------------------------------------------------------

  /// The next `operations` calls that touch the disk fail with `code` and change nothing. Reads
  /// count only when `reads_too`.
  void fail_next(std::size_t operations, ErrorCode code, bool reads_too = false);
  /// Every write fails with `code` until heal().
  void fail_writes(ErrorCode code);
  void heal();
  /// Called before and after each step that changes the disk (`append`, `appended`, `sync`,
  /// `synced`, `ingest`, `ingested`, `drop-family`, `dropped-family`) with no lock held. It may
  /// throw SimulatedCrash.
  void on_step(std::function<void(std::string_view step)> hook);

  // --- Damage -------------------------------------------------------------------------------

  /// Damages the files of a family: open handles read kCorrupt, the next open_family() sets it
  /// aside.
  void corrupt_family(const std::string& name);
  /// Flips a bit in a family's stored checkpoint, whose checksum then does not match.
  void corrupt_checkpoint(const std::string& name);
  /// Somebody deletes the state directory while no process runs: all families are gone.
  void drop_state();

  /// Shared by the storage and its handles; defined in the .cc.
  struct Disk;

 private:
  std::shared_ptr<Disk> disk_;
  std::vector<std::unique_ptr<Journal>> journals_;  // One per process; the last is the living one.
};

}  // namespace thalweg
