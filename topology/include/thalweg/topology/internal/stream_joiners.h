#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/payload.h>

// How joins of streams call their joiners: always with a key that may be null and two pointers.

namespace thalweg {

namespace internal {

template <bool Left, typename J, typename K, typename V, typename TV>
struct RowJoined {
  using type = joined_t<J, K, V, TV>;
};
template <typename J, typename K, typename V, typename TV>
struct RowJoined<true, J, K, V, TV> {
  using type = left_joined_t<J, K, V, TV>;
};
template <bool Left, typename J, typename K, typename V, typename TV>
using row_joined_t = typename RowJoined<Left, J, K, V, TV>::type;

/// How a join calls its joiner with a row that may be missing.
template <bool Left, typename J, typename K, typename V, typename TV>
decltype(auto) join_row(J& joiner, const K& key, const V& value, const TV* row) {
  if constexpr (!Left) {
    return join_values<J, K>(joiner, key, value, *row);
  } else if constexpr (std::is_pointer_v<left_row_t<J, K, V, TV>>) {
    return join_values<J, K>(joiner, key, value, row);
  } else {
    return join_values<J, K>(joiner, key, value,
                             row ? std::optional<TV>(*row) : std::optional<TV>());
  }
}

/// Calls a joiner that takes both values; there is always a key then.
template <typename J, typename K, typename V, typename VO>
struct StreamInnerJoiner {
  decltype(auto) operator()(const K& key, const V* value, const VO* other) {
    return join_row<false, J, payload_t<K>, V, VO>(joiner, *payload_of(key), *value, other);
  }
  J joiner;
};

/// Calls a joiner whose second value may be missing.
template <typename J, typename K, typename V, typename VO>
struct StreamLeftJoiner {
  decltype(auto) operator()(const K& key, const V* value, const VO* other) {
    return join_row<true, J, K, V, VO>(joiner, key, *value, other);
  }
  J joiner;
};

template <typename J, typename K, typename V, typename VO>
concept OuterJoinsPointers =
    std::copy_constructible<J> && (std::invocable<J&, const K&, const V*, const VO*> ||
                                   std::invocable<J&, const V*, const VO*>);
template <typename J, typename K, typename V, typename VO>
concept OuterJoinsOptionals = std::copy_constructible<J> &&
                              (std::invocable<J&, const K&, std::optional<V>, std::optional<VO>> ||
                               std::invocable<J&, std::optional<V>, std::optional<VO>>);

/// Calls a joiner either of whose values may be missing.
template <typename J, typename K, typename V, typename VO>
struct StreamOuterJoiner {
  decltype(auto) operator()(const K& key, const V* value, const VO* other) {
    // A pointer also turns into types made from pointers, such as bool.
    constexpr bool kAmbiguous =
        (std::is_constructible_v<V, const V*> || std::is_constructible_v<VO, const VO*>)&&
        OuterJoinsOptionals<J, K, V, VO>;
    if constexpr (OuterJoinsPointers<J, K, V, VO> && !kAmbiguous) {
      return call(key, value, other);
    } else {
      return call(key, value ? std::optional<V>(*value) : std::optional<V>(),
                  other ? std::optional<VO>(*other) : std::optional<VO>());
    }
  }
  J joiner;

 private:
  template <typename A, typename B>
  decltype(auto) call(const K& key, A&& value, B&& other) {
    if constexpr (std::invocable<J&, const K&, A, B>) {
      return std::invoke(joiner, key, std::forward<A>(value), std::forward<B>(other));
    } else {
      return std::invoke(joiner, std::forward<A>(value), std::forward<B>(other));
    }
  }
};

template <typename Joiner, typename K, typename V, typename VO>
using stream_joined_t =
    std::remove_cvref_t<std::invoke_result_t<Joiner&, const K&, const V*, const VO*>>;

}  // namespace internal

/// `VOut joiner(const V* value, const VO* other)`, or both with std::optional, or with
/// `const K& key` in front
template <typename J, typename K, typename V, typename VO>
concept StreamOuterJoinerOf =
    internal::OuterJoinsPointers<J, K, V, VO> || internal::OuterJoinsOptionals<J, K, V, VO>;

}  // namespace thalweg
