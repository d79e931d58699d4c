#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <thalweg/schemas/serde.h>
#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/value_transformer.h>

// What functions passed to a table's joins and groupings must look like, and how the joins call
// them: always with two pointers, of which one may be null.

namespace thalweg {

namespace internal {

template <typename J, typename... Arguments>
concept CanJoin = std::copy_constructible<J> && std::invocable<J&, Arguments...> &&
                  (!std::is_void_v<std::invoke_result_t<J&, Arguments...>>);

/// A pointer also turns into types made from pointers, such as bool: there the joiner means the
/// optional.
template <typename J, typename V, typename... Arguments>
inline constexpr bool kTakesPointer = CanJoin<J, Arguments..., const V*> &&
                                      !(std::is_constructible_v<V, const V*> &&
                                        CanJoin<J, Arguments..., std::optional<V>>);
template <typename J, typename V, typename VO>
inline constexpr bool kTakesPointers =
    CanJoin<J, const V*, const VO*> &&
    !((std::is_constructible_v<V, const V*> || std::is_constructible_v<VO, const VO*>)&&CanJoin<
        J, std::optional<V>, std::optional<VO>>);

template <typename T>
std::optional<T> copy_of(const T* value) {
  return value ? std::optional<T>(*value) : std::nullopt;
}

/// Calls a joiner that takes both values.
template <typename J, typename V, typename VO>
struct InnerJoiner {
  decltype(auto) operator()(const V* value, const VO* other) {
    return std::invoke(joiner, *value, *other);
  }
  J joiner;
};

/// Calls a joiner whose second value may be missing.
template <typename J, typename V, typename VO>
struct LeftJoiner {
  decltype(auto) operator()(const V* value, const VO* other) {
    if constexpr (kTakesPointer<J, VO, const V&>) {
      return std::invoke(joiner, *value, other);
    } else {
      return std::invoke(joiner, *value, copy_of(other));
    }
  }
  J joiner;
};

/// Calls a joiner either of whose values may be missing.
template <typename J, typename V, typename VO>
struct OuterJoiner {
  decltype(auto) operator()(const V* value, const VO* other) {
    if constexpr (kTakesPointers<J, V, VO>) {
      return std::invoke(joiner, value, other);
    } else {
      return std::invoke(joiner, copy_of(value), copy_of(other));
    }
  }
  J joiner;
};

/// The same join, seen from the other table.
template <typename Joiner, typename V, typename VO>
struct ReverseJoiner {
  decltype(auto) operator()(const VO* other, const V* value) { return joiner(value, other); }
  Joiner joiner;
};

/// What a table of a joiner's results holds.
template <typename Joiner, typename V, typename VO>
using table_joined_t =
    payload_t<std::remove_cvref_t<std::invoke_result_t<Joiner&, const V*, const VO*>>>;

}  // namespace internal

/// `VOut joiner(const V& value, const VO& other)`; std::optional<VOut>, where null deletes the row
template <typename J, typename V, typename VO>
concept TableJoiner = internal::CanJoin<J, const V&, const VO&>;

/// `VOut joiner(const V& value, const VO* other)`, or with std::optional<VO>
template <typename J, typename V, typename VO>
concept TableLeftJoiner = internal::CanJoin<J, const V&, const VO*> ||
                          internal::CanJoin<J, const V&, std::optional<VO>>;

/// `VOut joiner(const V* value, const VO* other)`, or both with std::optional
template <typename J, typename V, typename VO>
concept TableOuterJoiner = internal::CanJoin<J, const V*, const VO*> ||
                           internal::CanJoin<J, std::optional<V>, std::optional<VO>>;

namespace internal {

template <typename T>
concept IsValueTransformer = requires {
  typename T::InputKey;
  typename T::InputValue;
  typename T::OutputValue;
} && std::derived_from<T, ValueTransformerWithKey<typename T::InputKey, typename T::InputValue,
                                                  typename T::OutputValue>>;

}  // namespace internal

/// `KO foreign_key(const V& value)` or `KO foreign_key(const K& key, const V& value)`, or
/// std::optional<KO>: null if the row has no foreign key
template <typename F, typename K, typename V, typename KO>
concept ForeignKeyExtractor =
    ValueMapper<F, K, V> && std::same_as<payload_t<mapped_value_t<F, K, V>>, KO>;

/// `std::unique_ptr<T> supplier() const`, T derived from ValueTransformerWithKey<K, V, ...>
template <typename S, typename K, typename V>
concept ValueTransformerSupplier =
    internal::SupplierOfUniquePointers<S> && internal::IsValueTransformer<supplied_t<S>> &&
    std::same_as<typename supplied_t<S>::InputKey, K> &&
    std::same_as<typename supplied_t<S>::InputValue, V>;

}  // namespace thalweg
