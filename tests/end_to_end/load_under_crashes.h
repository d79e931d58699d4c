#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "flashsale/sale.h"

namespace thalweg::end_to_end {

/// A flash sale held from a thread of its own while the test does its worst to the shop.
class Load {
 public:
  struct Options {
    std::string url;
    std::string ledger_path;
    flashsale::PlanOptions plan;
    double rate = 300;
    std::string name = "crash";  ///< Products and users are called by it.
    /// How long to ask, after the load, for what was not answered or has not ended.
    std::chrono::seconds drain{120};
  };

  explicit Load(Options options);
  ~Load();  ///< As finish().

  /// Waits until products, users and deposits are in. Empty, or why that failed.
  std::string wait_until_seeded() { return seeded_.get_future().get(); }
  /// Orders offered and not answered at this moment.
  std::uint64_t waiting() const { return sale_->waiting(); }
  /// Orders answered so far.
  std::uint64_t answered() const { return sale_->answered(); }

  /// Offers no more and waits until everything offered is answered and finished.
  flashsale::SaleResult finish();
  /// After finish(): compares the client's own list with what the shop says, reading all of it.
  flashsale::Verification verify(std::chrono::milliseconds patience);
  const flashsale::Ledger& ledger() const { return journal_.ledger(); }

 private:
  void run();

  const Options options_;
  boost::asio::io_context io_{1};
  flashsale::HttpClient client_;
  const flashsale::RequestWriter writer_{"127.0.0.1"};
  const flashsale::Shop shop_{io_, client_, writer_, false};
  const flashsale::OrderPlan plan_;
  const flashsale::Names names_{options_.name};
  flashsale::Journal journal_;
  std::unique_ptr<flashsale::Sale> sale_;
  std::promise<std::string> seeded_;
  flashsale::SaleResult result_;
  std::thread thread_;
};

}  // namespace thalweg::end_to_end
