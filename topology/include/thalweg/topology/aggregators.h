#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>
#include <thalweg/topology/distinct_sketch.h>

// Aggregators for what is asked for most. Each is the function that aggregate() takes, and has the
// initializer and the session merger that go with it:
//
//     const auto revenue = sum<Order>(&Order::price);
//     orders.group_by_key().aggregate(revenue.initializer(), revenue, {.store = "revenue"});
//
// Where parts of an aggregate can be combined in any order with the same result (integers,
// estimates), windows that overlap share the work (`kCombinesExactly`).
//
// They forget nothing that was added, so they suit streams; a table's rows change, so
// groupBy(...).aggregate() of a table needs functions that take the old value back.

namespace thalweg {

/// The sum of a number of each value.
template <typename V, typename Number>
class Sum {
 public:
  static constexpr bool kCombinesExactly = std::is_integral_v<Number>;

  explicit Sum(std::function<Number(const V&)> of) : of_(std::move(of)) {}
  static auto initializer() {
    return [] { return Number{}; };
  }
  template <typename K>
  Number operator()(const K&, const V& value, Number so_far) const {
    return so_far + of_(value);
  }
  static auto merger() {
    return [](const auto&, Number a, Number b) { return a + b; };
  }

 private:
  std::function<Number(const V&)> of_;
};

/// The best of something of each value: the least (Less) or the greatest.
template <typename V, typename T, bool Least>
class Extreme {
 public:
  static constexpr bool kCombinesExactly = std::is_integral_v<T>;

  explicit Extreme(std::function<T(const V&)> of) : of_(std::move(of)) {}
  static auto initializer() {
    return [] { return std::optional<T>(); };
  }
  template <typename K>
  T operator()(const K&, const V& value, std::optional<T> so_far) const {
    T candidate = of_(value);
    if (!so_far) return candidate;
    return better(std::move(*so_far), std::move(candidate));
  }
  static auto merger() {
    return [](const auto&, T a, T b) { return better(std::move(a), std::move(b)); };
  }

 private:
  static T better(T a, T b) {
    if constexpr (Least) return b < a ? std::move(b) : std::move(a);
    return a < b ? std::move(b) : std::move(a);
  }
  std::function<T(const V&)> of_;
};

/// A mean as it is kept: it goes on from there.
struct MeanState {
  double sum = 0;
  std::int64_t count = 0;
  double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  friend bool operator==(const MeanState&, const MeanState&) = default;
};

/// The mean of a number of each value.
template <typename V>
class Mean {
 public:
  explicit Mean(std::function<double(const V&)> of) : of_(std::move(of)) {}
  static auto initializer() {
    return [] { return MeanState{}; };
  }
  template <typename K>
  MeanState operator()(const K&, const V& value, MeanState so_far) const {
    return {so_far.sum + of_(value), so_far.count + 1};
  }
  static auto merger() {
    return [](const auto&, MeanState a, MeanState b) {
      return MeanState{a.sum + b.sum, a.count + b.count};
    };
  }

 private:
  std::function<double(const V&)> of_;
};

/// The greatest first; among equal ones, that which came first.
template <typename T>
struct Ranking {
  std::vector<T> items;
  friend bool operator==(const Ranking&, const Ranking&) = default;
};

/// The n greatest of something of each value.
template <typename V, typename T>
class TopN {
 public:
  TopN(std::size_t n, std::function<T(const V&)> of) : n_(n), of_(std::move(of)) {}
  static auto initializer() {
    return [] { return Ranking<T>{}; };
  }
  template <typename K>
  Ranking<T> operator()(const K&, const V& value, Ranking<T> so_far) const {
    return with(std::move(so_far), of_(value), n_);
  }
  auto merger() const {
    return [n = n_](const auto&, Ranking<T> a, const Ranking<T>& b) {
      for (const T& item : b.items) a = with(std::move(a), item, n);
      return a;
    };
  }

 private:
  static Ranking<T> with(Ranking<T> ranking, T item, std::size_t n) {
    auto& items = ranking.items;
    items.insert(std::ranges::upper_bound(items, item, std::ranges::greater{}), std::move(item));
    if (items.size() > n) items.pop_back();
    return ranking;
  }
  std::size_t n_;
  std::function<T(const V&)> of_;
};

/// How many different ones there are of something of each value, within a few per cent.
template <typename V, typename T>
class DistinctEstimate {
 public:
  static constexpr bool kCombinesExactly = true;

  explicit DistinctEstimate(std::function<T(const V&)> of) : of_(std::move(of)) {}
  static auto initializer() {
    return [] { return DistinctSketch{}; };
  }
  template <typename K>
  DistinctSketch operator()(const K&, const V& value, DistinctSketch so_far) const {
    std::string bytes;
    Serde<T>{}.serialize(of_(value), bytes);
    so_far.add(bytes);
    return so_far;
  }
  static auto merger() {
    return [](const auto&, DistinctSketch a, const DistinctSketch& b) {
      a.add(b);
      return a;
    };
  }

 private:
  std::function<T(const V&)> of_;
};

namespace internal {
template <typename V, typename F>
using part_t = std::remove_cvref_t<std::invoke_result_t<const F&, const V&>>;
}

// `of` gives what is aggregated of a value: a function, or a pointer to a member.

template <typename V, typename F>
auto sum(F of) {
  return Sum<V, internal::part_t<V, F>>(std::move(of));
}
template <typename V, typename F>
auto minimum(F of) {
  return Extreme<V, internal::part_t<V, F>, true>(std::move(of));
}
template <typename V, typename F>
auto maximum(F of) {
  return Extreme<V, internal::part_t<V, F>, false>(std::move(of));
}
template <typename V, typename F>
auto mean(F of) {
  return Mean<V>(std::move(of));
}
template <typename V, typename F>
auto top(std::size_t n, F of) {
  return TopN<V, internal::part_t<V, F>>(n, std::move(of));
}
template <typename V, typename F>
auto distinct_estimate(F of) {
  return DistinctEstimate<V, internal::part_t<V, F>>(std::move(of));
}

template <>
struct Serde<MeanState> {
  static void serialize(const MeanState& state, std::string& out) {
    Serde<double>::serialize(state.sum, out);
    Serde<std::int64_t>::serialize(state.count, out);
  }
  static void deserialize(BytesView bytes, MeanState& out) {
    if (bytes.size() != 16) internal::throw_wrong_size("mean", 16, bytes.size());
    Serde<double>::deserialize(bytes.substr(0, 8), out.sum);
    Serde<std::int64_t>::deserialize(bytes.substr(8), out.count);
  }
  static SchemaPtr schema() { return bytes_schema(); }
};

/// Each item behind its length, 4 bytes.
template <Serializable T>
struct Serde<Ranking<T>> {
  static void serialize(const Ranking<T>& ranking, std::string& out) {
    std::string item_bytes;
    for (const T& item : ranking.items) {
      item_bytes.clear();
      Serde<T>{}.serialize(item, item_bytes);
      Serde<std::int32_t>::serialize(static_cast<std::int32_t>(item_bytes.size()), out);
      out += item_bytes;
    }
  }
  static void deserialize(BytesView bytes, Ranking<T>& out) {
    out.items.clear();
    while (!bytes.empty()) {
      std::int32_t size = 0;
      Serde<std::int32_t>::deserialize(bytes.substr(0, 4), size);
      bytes.remove_prefix(4);
      if (size < 0 || bytes.size() < static_cast<std::size_t>(size)) {
        internal::throw_wrong_size("item of a ranking", static_cast<std::size_t>(size),
                                   bytes.size());
      }
      Serde<T>{}.deserialize(bytes.substr(0, static_cast<std::size_t>(size)),
                             out.items.emplace_back());
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  static SchemaPtr schema() { return bytes_schema(); }
};

}  // namespace thalweg
