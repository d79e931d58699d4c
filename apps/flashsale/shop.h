#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "http_client.h"
#include "invariants.h"
#include "ledger.h"
#include "order_plan.h"

namespace thalweg::flashsale {

/// The shop under test, as everything here reaches it.
struct Shop {
  boost::asio::io_context& io;
  HttpClient& client;
  const RequestWriter& writer;
  bool shows_progress = true;  ///< Of long batches, on stderr.
};

/// The body of POST /orders for `order`.
std::string order_body(const PlannedOrder& order, const Names& names);

/// Waits until GET /readyz answers 200.
std::expected<void, std::string> wait_until_ready(const Shop& shop,
                                                  std::chrono::milliseconds patience);

/// Creates every product and user of the plan with its stock and deposit and notes each in
/// `journal`. Fails with the first answer that cannot be right.
std::expected<void, std::string> seed(const Shop& shop, const OrderPlan& plan, const Names& names,
                                      Journal& journal);

/// Sends the unresolved commands again, each with its own key, until the shop has said what became
/// of them. Those it still does not answer stay unresolved.
void settle(const Shop& shop, Journal& journal, std::chrono::milliseconds patience);

struct Verification {
  std::vector<Violation> violations;
  Fillable fillable;
  Observed observed;
};

/// Compares ledger and shop. Orders in `known` that are finished there are not asked for again;
/// pass an empty list to read them all. The shop's views may trail one another by a moment, so
/// while something differs it is read again, until `patience` runs out.
Verification verify(const Shop& shop, const Ledger& ledger, std::vector<Observed::Order> known,
                    std::chrono::milliseconds patience);

}  // namespace thalweg::flashsale
