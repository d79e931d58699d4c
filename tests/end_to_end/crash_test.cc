// The shop under load is killed without warning, again and again, in the middle of commits, spills
// and restores. Whatever it had promised with a 202 must come to an end, once.
//
//   CRASH_TEST_SEED=n   replays the choices of a run (the load and the kills; threads stay free)
//   CRASH_TEST_KILLS=n  more kills than the 24 of the short run

#include <sched.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/load_under_crashes.h"
#include "end_to_end/shop_process.h"
#include "flashsale/report.h"

namespace thalweg::end_to_end {
namespace {

using namespace std::chrono_literals;
using flashsale::name_of;
using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

// Orders a second: what the shop can make up for between two kills. The thread sanitizer makes it
// ten times as slow.
#ifdef __SANITIZE_THREAD__
constexpr double kRate = 50;
#else
constexpr double kRate = 500;
#endif

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class CrashTest : public ::testing::Test {
 protected:
  // The phases a kill can be aimed at; the rest strike blindly.
  enum class Aim { kBlind, kCommit, kSpill, kRestore };

  static constexpr std::uint64_t kKillsDefault = 24;
  static constexpr std::uint64_t kExtraKillsMax = 40;  // To hit a phase that was missed so far.

  CrashTest()
      : seed_(number_from_environment("CRASH_TEST_SEED", std::random_device()())),
        kills_(number_from_environment("CRASH_TEST_KILLS", kKillsDefault)),
        random_(seed_),
        phases_(directory_.path() / "phases"),
        shop_(directory_.path() / "data", environment()) {
    std::printf("seed %llu (replay with CRASH_TEST_SEED)\n",
                static_cast<unsigned long long>(seed_));
  }

  // Small memory and frequent spills, so that every phase comes round often.
  std::map<std::string, std::string> environment() const {
    auto variables = phases_.environment();
    variables["THALWEG_STATE_SPILL_INTERVAL_MS"] = "200";
    return variables;
  }

  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
  }

  // Remembers how much: by the time of the kill the shop may have answered some of it.
  bool has_work_waiting() {
    waiting_ = load_->waiting();
    return waiting_ > 0;
  }

  // Lets time pass without giving up the processor for long: phases last microseconds.
  template <typename Condition>
  bool spin_until(Condition condition, std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    while (!condition()) {
      if (Clock::now() >= deadline || !shop_.process().is_running()) return false;
      ::sched_yield();
    }
    return true;
  }

  bool is_in(PhaseFile::Phase phase) const { return phases_.read()[phase] > 0; }

  void wait_for_the_moment(Aim aim) {
    switch (aim) {
      case Aim::kRestore:
        spin_until([&] { return has_work_waiting() && is_in(PhaseFile::kRestore); }, 5s);
        break;
      case Aim::kCommit:
        linger(below(1'000'000));
        spin_until([&] { return has_work_waiting() && is_in(PhaseFile::kCommit); }, 3s);
        break;
      case Aim::kSpill:
        linger(below(1'000'000));
        spin_until([&] { return has_work_waiting() && is_in(PhaseFile::kSpill); }, 3s);
        break;
      case Aim::kBlind:
        linger(below(1'000'000));
        spin_until([&] { return has_work_waiting(); }, 2s);
        break;
    }
  }

  void linger(std::uint64_t micros) {
    const auto until = Clock::now() + microseconds(micros);
    spin_until([&] { return Clock::now() >= until; }, 10s);
  }

  // Kills at the moment aimed at and counts the phases that were under way.
  void strike(Aim aim) {
    wait_for_the_moment(aim);
    if (waiting_ == 0) spin_until([&] { return has_work_waiting(); }, 5s);
    const auto waiting = std::exchange(waiting_, 0);
    EXPECT_TRUE(shop_.process().is_running()) << shop_.process().output();
    shop_.process().kill_hard();
    ++struck_;
    if (waiting > 0) ++struck_with_work_waiting_;
    std::string caught;
    const auto counts = phases_.read();
    for (int phase = 0; phase < PhaseFile::kPhases; ++phase) {
      if (counts[phase] == 0) continue;
      ++hits_[phase];
      caught += std::string(" ") + PhaseFile::name_of(phase);
    }
    phases_.clear();
    std::printf("kill %2d: during%s; %llu orders unanswered\n", struck_,
                caught.empty() ? " none" : caught.c_str(),
                static_cast<unsigned long long>(waiting));
    std::fflush(stdout);
  }

  // Blind and aimed kills in turn; later only what has not been hit yet.
  Aim next_aim() const {
    if (static_cast<std::uint64_t>(struck_) < kills_) return static_cast<Aim>(struck_ % 4);
    if (hits_[PhaseFile::kCommit] == 0) return Aim::kCommit;
    if (hits_[PhaseFile::kSpill] == 0) return Aim::kSpill;
    return Aim::kRestore;
  }

  bool has_struck_enough() const {
    const auto struck = static_cast<std::uint64_t>(struck_);
    const bool all_hit = hits_[PhaseFile::kCommit] > 0 && hits_[PhaseFile::kSpill] > 0 &&
                         hits_[PhaseFile::kRestore] > 0;
    return struck >= kills_ && (all_hit || struck >= kills_ + kExtraKillsMax);
  }

  // Restarts the shop; to hit a restore it is struck before it is ready.
  void strike_until_enough() {
    while (!has_struck_enough()) {
      const Aim aim = next_aim();
      if (aim != Aim::kRestore) {
        ASSERT_TRUE(shop_.becomes_ready()) << shop_.process().output();
      }
      strike(aim);
      if (HasFailure()) return;
      shop_.start();
    }
    ASSERT_TRUE(shop_.becomes_ready()) << shop_.process().output();
  }

  void begin_sale() {
    shop_.start_and_wait();
    load_ = std::make_unique<Load>(Load::Options{
        .url = shop_.url(),
        .ledger_path = (directory_.path() / "ledger").string(),
        .plan = {.seed = seed_,
                 .orders = 1'000'000,  // More than there is time for; scarce goods sell out early.
                 .users = 500,
                 .products = 300,
                 .skew = 0.99,
                 .scarce_supply = 0.005},
        .rate = kRate});
    ASSERT_EQ(load_->wait_until_seeded(), "");
  }

  void expect_books_balance() {
    const auto verification = load_->verify(90s);
    EXPECT_TRUE(verification.violations.empty()) << to_text(verification, load_->ledger());
    EXPECT_GE(verification.fillable.share_completed(), 0.9);
    EXPECT_GT(verification.fillable.orders, 100u);
  }

  const std::uint64_t seed_;
  const std::uint64_t kills_;
  std::mt19937_64 random_;
  TemporaryDirectory directory_;
  PhaseFile phases_;
  ShopProcess shop_;
  std::unique_ptr<Load> load_;
  std::uint64_t waiting_ = 0;
  int struck_ = 0;
  int struck_with_work_waiting_ = 0;
  std::array<int, PhaseFile::kPhases> hits_{};
};

TEST_F(CrashTest, EveryAcceptedOrderEndsOnceHoweverOftenTheShopIsKilled) {
  ASSERT_NO_FATAL_FAILURE(begin_sale());

  strike_until_enough();
  ASSERT_FALSE(HasFailure());
  const auto sale = load_->finish();

  std::printf("%d kills; in commit %d, spill %d, restore %d, sync %d; %llu orders accepted, "
              "%llu retried, %llu settled\n",
              struck_, hits_[PhaseFile::kCommit], hits_[PhaseFile::kSpill],
              hits_[PhaseFile::kRestore], hits_[PhaseFile::kSync],
              static_cast<unsigned long long>(sale.accepted),
              static_cast<unsigned long long>(sale.retries),
              static_cast<unsigned long long>(sale.settled));
  EXPECT_GE(struck_, 20);
  EXPECT_EQ(struck_with_work_waiting_, struck_) << "every kill meets requests in flight";
  EXPECT_GT(sale.retries, 0u) << "no request was ever cut off";
  EXPECT_GT(hits_[PhaseFile::kCommit], 0);
  EXPECT_GT(hits_[PhaseFile::kSpill], 0);
  EXPECT_GT(hits_[PhaseFile::kRestore], 0);
  EXPECT_EQ(sale.unfinished, 0u) << "orders that never ended";
  EXPECT_EQ(sale.not_found, 0u) << "an accepted order was unknown to a later GET";
  EXPECT_EQ(sale.refused, 0u);
  expect_books_balance();

  EXPECT_EQ(shop_.stop(), 0);
  shop_.start_and_wait();
  expect_books_balance();
}

}  // namespace
}  // namespace thalweg::end_to_end
