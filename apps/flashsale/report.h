#pragma once

#include <string>

#include "sale.h"

namespace thalweg::flashsale {

struct Report {
  const OrderPlan* plan = nullptr;
  const Ledger* ledger = nullptr;
  SaleOptions options;
  SaleResult sale;
  Verification verification;
  HttpClient::Statistics connections;
  double seed_seconds = 0;
  double client_cpu_seconds = 0;

  /// Everything accepted was kept and every invariant holds.
  bool holds() const { return verification.violations.empty() && sale.not_found == 0; }
};

/// For a person: a few lines each on throughput, latency, outcomes and invariants.
std::string to_text(const Report& report);
/// For a program: one line of JSON.
std::string to_json(const Report& report);

/// The check alone, as after --check-only.
std::string to_text(const Verification& verification, const Ledger& ledger);
std::string to_json(const Verification& verification, const Ledger& ledger);

}  // namespace thalweg::flashsale
