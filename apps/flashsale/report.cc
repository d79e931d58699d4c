#include "report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "json_text.h"

namespace thalweg::flashsale {
namespace {

constexpr std::size_t kViolationsShown = 20;

[[gnu::format(printf, 2, 3)]] void print(std::string& out, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double offered_per_second(const Report& report) {
  const double seconds = static_cast<double>(report.sale.offered) / report.options.rate;
  return per_second(report.sale.offered, seconds);
}

void print_latency(std::string& out, const char* name, const Latency::Summary& latency) {
  print(out, "%-12s mean %.2f  p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms  (%zu)\n",
        name, latency.mean_ms, latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms,
        latency.max_ms, latency.count);
}

template <typename Counts>
void print_counts(std::string& out, const char* title, const Counts& counts) {
  if (counts.empty()) return;
  out += title;
  for (const auto& [name, count] : counts) {
    out += "  ";
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(name)>>) {
      out += std::to_string(name);
    } else {
      out += name;
    }
    out.append(1, ' ').append(std::to_string(count));
  }
  out += '\n';
}

// Writes one JSON object, member by member.
class JsonObject {
 public:
  JsonObject& integer(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
  }
  JsonObject& count(std::string_view name, std::uint64_t value) {
    return raw(name, std::to_string(value));
  }
  JsonObject& real(std::string_view name, double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.3f", value);
    return raw(name, text);
  }
  JsonObject& flag(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }
  JsonObject& text(std::string_view name, std::string_view value) {
    std::string quoted;
    append_json_string(quoted, value);
    return raw(name, quoted);
  }
  template <typename Counts>
  JsonObject& counts(std::string_view name, const Counts& values) {
    JsonObject object;
    for (const auto& [key, value] : values) {
      if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(key)>>) {
        object.count(std::to_string(key), value);
      } else {
        object.count(key, value);
      }
    }
    return raw(name, object.end());
  }
  JsonObject& raw(std::string_view name, std::string_view value) {
    out_ += out_.empty() ? '{' : ',';
    append_json_string(out_, name);
    out_ += ':';
    out_ += value;
    return *this;
  }
  std::string end() const { return out_.empty() ? "{}" : out_ + '}'; }

 private:
  std::string out_;
};

std::string latency_json(const Latency::Summary& latency) {
  return JsonObject()
      .count("count", latency.count)
      .real("meanMs", latency.mean_ms)
      .real("p50Ms", latency.p50_ms)
      .real("p90Ms", latency.p90_ms)
      .real("p99Ms", latency.p99_ms)
      .real("p999Ms", latency.p999_ms)
      .real("maxMs", latency.max_ms)
      .end();
}

std::string violations_json(const std::vector<Violation>& violations) {
  std::string array = "[";
  for (std::size_t at = 0; at < std::min(violations.size(), kViolationsShown); ++at) {
    if (at > 0) array += ',';
    array += JsonObject()
                 .text("invariant", violations[at].invariant)
                 .text("key", violations[at].key)
                 .integer("left", violations[at].left)
                 .integer("right", violations[at].right)
                 .end();
  }
  return array + ']';
}

double accepted_share(const SaleResult& sale) {
  return sale.offered == 0 ? 1
                           : static_cast<double>(sale.accepted) / static_cast<double>(sale.offered);
}

}  // namespace

std::string to_text(const Verification& verification, const Ledger& ledger) {
  std::string out;
  print(out, "checked      %zu orders, %zu products, %zu users; audit answered %d\n",
        ledger.orders().size(), ledger.products().size(), ledger.users().size(),
        verification.observed.audit_status);
  print(out, "fillable     %llu orders for certain, %.2f %% of them COMPLETED\n",
        static_cast<unsigned long long>(verification.fillable.orders),
        100 * verification.fillable.share_completed());
  if (verification.violations.empty()) {
    out += "invariants   hold\n";
    return out;
  }
  print(out, "invariants   %zu VIOLATED\n", verification.violations.size());
  for (std::size_t at = 0; at < std::min(verification.violations.size(), kViolationsShown); ++at) {
    out += "  " + to_string(verification.violations[at]) + "\n";
  }
  return out;
}

std::string to_text(const Report& report) {
  const SaleResult& sale = report.sale;
  std::string out;
  print(out, "offered      %llu orders at %.0f/s, %llu of them fillable by plan\n",
        static_cast<unsigned long long>(sale.offered), offered_per_second(report),
        static_cast<unsigned long long>(report.plan->fillable()));
  print(out,
        "accepted     %llu (%.3f %%) at %.0f/s, %llu settled later, %llu refused, "
        "%llu retries\n",
        static_cast<unsigned long long>(sale.accepted), 100 * accepted_share(sale),
        per_second(sale.accepted, sale.load_seconds), static_cast<unsigned long long>(sale.settled),
        static_cast<unsigned long long>(sale.refused),
        static_cast<unsigned long long>(sale.retries));
  print_counts(out, "answers    ", sale.statuses);
  print_counts(out, "failures   ", sale.failures);
  print_latency(out, "accept", sale.accept.summarize());
  print_latency(out, "completion", sale.completion.summarize());
  print(out,
        "polling      %llu GETs, %llu failed; each waits in the shop until its order is decided\n",
        static_cast<unsigned long long>(sale.polls),
        static_cast<unsigned long long>(sale.poll_errors));
  print(out, "finished     COMPLETED %llu  CANCELLED %llu  unfinished %llu\n",
        static_cast<unsigned long long>(sale.completed),
        static_cast<unsigned long long>(sale.cancelled),
        static_cast<unsigned long long>(sale.unfinished));
  print_counts(out, "cancelled  ", sale.reasons);
  print(out,
        "client       %.2f CPU-seconds, seeding took %.1f s; connections: %llu opened, "
        "%llu lost, %llu refused\n",
        report.client_cpu_seconds, report.seed_seconds,
        static_cast<unsigned long long>(report.connections.connections_opened),
        static_cast<unsigned long long>(report.connections.connections_lost),
        static_cast<unsigned long long>(report.connections.connect_failures));
  if (sale.not_found > 0) {
    print(out, "LOST READS   %llu times GET said 404 of an accepted order\n",
          static_cast<unsigned long long>(sale.not_found));
  }
  return out + to_text(report.verification, *report.ledger);
}

std::string to_json(const Verification& verification, const Ledger& ledger) {
  return JsonObject()
      .flag("hold", verification.violations.empty())
      .count("violations", verification.violations.size())
      .raw("firstViolations", violations_json(verification.violations))
      .count("orders", ledger.orders().size())
      .count("products", ledger.products().size())
      .count("users", ledger.users().size())
      .integer("auditStatus", verification.observed.audit_status)
      .count("fillableOrders", verification.fillable.orders)
      .real("fillableCompletedShare", verification.fillable.share_completed())
      .end();
}

std::string to_json(const Report& report) {
  const SaleResult& sale = report.sale;
  JsonObject object;
  object.count("offered", sale.offered)
      .real("offeredPerSecond", offered_per_second(report))
      .count("accepted", sale.accepted)
      .real("acceptedPerSecond", per_second(sale.accepted, sale.load_seconds))
      .real("acceptedShare", accepted_share(sale))
      .count("settled", sale.settled)
      .count("refused", sale.refused)
      .count("retries", sale.retries)
      .count("fillableByPlan", report.plan->fillable())
      .counts("statuses", sale.statuses)
      .counts("failures", sale.failures)
      .raw("acceptLatency", latency_json(sale.accept.summarize()))
      .raw("completionLatency", latency_json(sale.completion.summarize()))
      .count("polls", sale.polls)
      .count("pollErrors", sale.poll_errors)
      .count("completed", sale.completed)
      .count("cancelled", sale.cancelled)
      .count("unfinished", sale.unfinished)
      .counts("cancelReasons", sale.reasons)
      .count("sideCommands", sale.side_commands)
      .count("notFoundAfterAccepted", sale.not_found)
      .count("connectionsOpened", report.connections.connections_opened)
      .count("connectionsLost", report.connections.connections_lost)
      .count("connectFailures", report.connections.connect_failures)
      .real("seedSeconds", report.seed_seconds)
      .real("clientCpuSeconds", report.client_cpu_seconds)
      .count("seed", report.plan->options().seed)
      .raw("invariants", to_json(report.verification, *report.ledger))
      .flag("holds", report.holds());
  return object.end();
}

}  // namespace thalweg::flashsale
