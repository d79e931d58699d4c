#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <map>
#include <stdexcept>
#include <variant>

#include <thalweg/runtime/metrics.h>

namespace thalweg {

namespace {

constexpr int kStepsPerPower = 8;
constexpr int kUnitBits = 10;  // Durations below 2^10 ns, about 1 us, share the first bucket.

// Exposed are powers of two of about 1 us up to about 2 min: a fixed, small set of buckets.
constexpr int kExposedPowers = 27;

std::string clean_name(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const bool known = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':';
    clean += known ? c : '_';
  }
  if (clean.empty() || std::isdigit(static_cast<unsigned char>(clean[0]))) clean.insert(0, "_");
  return clean;
}

void append_escaped(std::string_view text, bool quotes, std::string& out) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void append_number(double value, std::string& out) {
  if (value != value) {
    out += "NaN";
  } else if (value == value * 2 && value != 0) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

}  // namespace

// --- LatencyHistogram
// -----------------------------------------------------------------------------

void LatencyHistogram::record(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  // Upper bounds belong to their bucket.
  const std::uint64_t shifted = ns == 0 ? 0 : ns - 1;
  std::size_t index = 0;
  if (shifted >> kUnitBits != 0) {
    const int power = static_cast<int>(std::bit_width(shifted)) - 1 - kUnitBits;
    const auto step = (shifted >> (power + kUnitBits - 3)) & (kStepsPerPower - 1);
    index = std::min<std::size_t>(static_cast<std::size_t>(power * kStepsPerPower) + step + 1,
                                  kBuckets - 1);
  }
  const auto bump = [](std::atomic<std::uint64_t>& value, std::uint64_t by) {
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  };
  bump(buckets_[index], 1);
  bump(sum_ns_, ns);
  bump(count_, 1);
}

double LatencyHistogram::upper_bound_seconds(int i) {
  constexpr double kUnit = static_cast<double>(1 << kUnitBits) * 1e-9;
  if (i == 0) return kUnit;
  const int power = (i - 1) / kStepsPerPower;
  const int step = (i - 1) % kStepsPerPower;
  return kUnit * static_cast<double>(std::uint64_t{1} << power) * (1.0 + (step + 1) / 8.0);
}

double LatencyHistogram::quantile_seconds(double q) const {
  std::uint64_t total = 0;
  std::array<std::uint64_t, kBuckets> counts;
  for (int i = 0; i < kBuckets; ++i) total += counts[static_cast<std::size_t>(i)] = bucket(i);
  if (total == 0) return 0;
  const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  std::uint64_t seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += counts[static_cast<std::size_t>(i)];
    if (seen > 0 && static_cast<double>(seen) >= wanted) return upper_bound_seconds(i);
  }
  return upper_bound_seconds(kBuckets - 1);
}

// --- MetricsRegistry
// ------------------------------------------------------------------------------

struct MetricsRegistry::Impl {
  using Instrument = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>,
                                  std::unique_ptr<LatencyHistogram>>;
  struct Family {
    std::string help;
    std::map<Labels, Instrument> instruments;
  };

  template <typename T>
  T& find(std::string_view name, std::string_view help, Labels labels) {
    for (auto& [label, value] : labels) label = clean_name(label);
    std::sort(labels.begin(), labels.end());
    const std::lock_guard lock(mutex);
    auto& family = families[clean_name(name)];
    if (family.instruments.empty()) family.help = help;
    const bool same_kind = family.instruments.empty() || std::holds_alternative<std::unique_ptr<T>>(
                                                             family.instruments.begin()->second);
    if (!same_kind) {
      throw std::invalid_argument("metric '" + std::string(name) +
                                  "' is already registered as another kind");
    }
    auto& instrument = family.instruments[std::move(labels)];
    auto* typed = std::get_if<std::unique_ptr<T>>(&instrument);
    if (!typed || !*typed) {
      instrument = std::make_unique<T>();
      typed = std::get_if<std::unique_ptr<T>>(&instrument);
    }
    return **typed;
  }

  mutable std::mutex mutex;
  std::map<std::string, Family> families;
};

namespace {

class Exposition {
 public:
  Exposition(std::string& out, bool openmetrics) : out_(out), openmetrics_(openmetrics) {}

  void family(const std::string& name, std::string_view type, std::string_view help) {
    name_ = name;
    std::string base = name;
    // OpenMetrics names the family without the suffix that every sample of a counter has.
    if (openmetrics_ && type == "counter") {
      if (base.ends_with("_total")) base.resize(base.size() - 6);
      name_ = base + "_total";
    }
    out_ += "# HELP " + base + ' ';
    append_escaped(help, openmetrics_, out_);
    out_ += "\n# TYPE " + base + ' ';
    out_ += type;
    out_ += '\n';
  }

  void sample(std::string_view suffix, const MetricsRegistry::Labels& labels, double value,
              std::string_view bound = {}) {
    out_ += name_;
    out_ += suffix;
    if (!labels.empty() || !bound.empty()) {
      char separator = '{';
      for (const auto& [label, text] : labels) append_label(separator, label, text);
      if (!bound.empty()) append_label(separator, "le", bound);
      out_ += '}';
    }
    out_ += ' ';
    append_number(value, out_);
    out_ += '\n';
  }

  void histogram(const MetricsRegistry::Labels& labels, const LatencyHistogram& histogram) {
    std::uint64_t seen = 0;
    int next = 0;
    const auto add_until = [&](int end) {
      for (; next < end; ++next) seen += histogram.bucket(next);
    };
    for (int power = 0; power <= kExposedPowers; ++power) {
      const int last = power * kStepsPerPower;
      add_until(last + 1);
      std::string bound;
      append_number(LatencyHistogram::upper_bound_seconds(last), bound);
      sample("_bucket", labels, static_cast<double>(seen), bound);
    }
    const double sum = histogram.sum_seconds();
    add_until(LatencyHistogram::kBuckets);
    sample("_bucket", labels, static_cast<double>(seen), "+Inf");
    sample("_sum", labels, sum);
    sample("_count", labels, static_cast<double>(seen));
  }

 private:
  void append_label(char& separator, std::string_view label, std::string_view text) {
    out_ += separator;
    separator = ',';
    out_ += label;
    out_ += "=\"";
    append_escaped(text, true, out_);
    out_ += '"';
  }

  std::string& out_;
  bool openmetrics_;
  std::string name_;
};

}  // namespace

MetricsRegistry::MetricsRegistry() : impl_(std::make_unique<Impl>()) {}
MetricsRegistry::~MetricsRegistry() = default;

Counter& MetricsRegistry::counter(std::string_view name, std::string_view help, Labels labels) {
  return impl_->find<Counter>(name, help, std::move(labels));
}

Gauge& MetricsRegistry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return impl_->find<Gauge>(name, help, std::move(labels));
}

LatencyHistogram& MetricsRegistry::histogram(std::string_view name, std::string_view help,
                                             Labels labels) {
  return impl_->find<LatencyHistogram>(name, help, std::move(labels));
}

std::string MetricsRegistry::expose(bool openmetrics) const {
  std::string out;
  Exposition exposition(out, openmetrics);
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [name, family] : impl_->families) {
    static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
    exposition.family(name, kTypes[family.instruments.begin()->second.index()], family.help);
    for (const auto& [labels, instrument] : family.instruments) {
      if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&instrument)) {
        exposition.sample({}, labels, static_cast<double>((*counter)->value()));
      } else if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&instrument)) {
        exposition.sample({}, labels, (*gauge)->value());
      } else {
        exposition.histogram(labels, *std::get<std::unique_ptr<LatencyHistogram>>(instrument));
      }
    }
  }
  if (openmetrics) out += "# EOF\n";
  return out;
}

}  // namespace thalweg
