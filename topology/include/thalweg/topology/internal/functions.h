#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>
#include <thalweg/topology/processor.h>

// What functions passed to operators must look like. A function that does not fit is refused where
// it is passed, by the concept that says what is asked for.

namespace thalweg {

template <typename T, typename Wanted>
concept SameAfterDecay = std::same_as<std::remove_cvref_t<T>, Wanted>;

/// `bool predicate(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept KeyValuePredicate = std::copy_constructible<F> && std::predicate<F&, const K&, const V&>;

/// `void action(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept KeyValueAction = std::copy_constructible<F> && std::invocable<F&, const K&, const V&>;

template <typename F, typename K, typename V>
  requires std::invocable<F&, const K&, const V&>
using mapped_t = std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V&>>;

template <typename T>
inline constexpr bool is_pair = false;
template <typename A, typename B>
inline constexpr bool is_pair<std::pair<A, B>> = true;

template <typename P>
using pair_key_t = typename P::first_type;
template <typename P>
using pair_value_t = typename P::second_type;
template <typename R>
using range_value_t = std::ranges::range_value_t<R>;

/// `std::pair<K2, V2> mapper(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept KeyValueMapper = std::copy_constructible<F> && std::invocable<F&, const K&, const V&> &&
                         is_pair<mapped_t<F, K, V>>;

/// `K2 selector(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept KeySelector = std::copy_constructible<F> && std::invocable<F&, const K&, const V&> &&
                      (!std::is_void_v<mapped_t<F, K, V>>);

/// `RowKey selector(const K& key, const V& value)`, or std::optional<RowKey>: null if there is none
template <typename F, typename K, typename V, typename RowKey>
concept RowKeySelector =
    KeySelector<F, K, V> && std::same_as<payload_t<mapped_t<F, K, V>>, RowKey>;

namespace internal {

template <typename F, typename K, typename V>
struct MappedValue {};
template <typename F, typename K, typename V>
  requires std::invocable<F&, const K&, const V&>
struct MappedValue<F, K, V> {
  using type = std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V&>>;
};
template <typename F, typename K, typename V>
  requires(std::invocable<F&, const V&> && !std::invocable<F&, const K&, const V&>)
struct MappedValue<F, K, V> {
  using type = std::remove_cvref_t<std::invoke_result_t<F&, const V&>>;
};

/// Calls a value mapper in whichever of its two forms it has.
template <typename F, typename K, typename V>
decltype(auto) map_value(F& mapper, const K& key, const V& value) {
  if constexpr (std::invocable<F&, const K&, const V&>) {
    return std::invoke(mapper, key, value);
  } else {
    return std::invoke(mapper, value);
  }
}

}  // namespace internal

template <typename F, typename K, typename V>
using mapped_value_t = typename internal::MappedValue<F, K, V>::type;

/// `V2 mapper(const V& value)` or `V2 mapper(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept ValueMapper =
    std::copy_constructible<F> &&
    (std::invocable<F&, const V&> || std::invocable<F&, const K&, const V&>) &&
    (!std::is_void_v<mapped_value_t<F, K, V>>);

/// `Range of std::pair<K2, V2> mapper(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept KeyValueFlatMapper =
    std::copy_constructible<F> && std::invocable<F&, const K&, const V&> &&
    std::ranges::input_range<mapped_t<F, K, V>&> && is_pair<range_value_t<mapped_t<F, K, V>>>;

/// `Range of V2 mapper(const V& value)` or `... mapper(const K& key, const V& value)`
template <typename F, typename K, typename V>
concept FlatValueMapper =
    ValueMapper<F, K, V> && std::ranges::input_range<mapped_value_t<F, K, V>&>;

/// `V reducer(V so_far, const V& value)`, or std::optional<V>
template <typename F, typename V>
concept Reducer = std::copy_constructible<F> && std::invocable<F&, V, const V&> &&
                  std::convertible_to<std::invoke_result_t<F&, V, const V&>, std::optional<V>>;

/// `A initializer()`, or std::optional<A>: then null is a seed, too
template <typename F>
concept Initializer = std::copy_constructible<F> && std::invocable<F&> &&
                      (!std::is_void_v<std::invoke_result_t<F&>>);

/// What an aggregation begins with, and hands to its aggregator.
template <Initializer F>
using seed_t = std::remove_cvref_t<std::invoke_result_t<F&>>;
/// What its table holds.
template <Initializer F>
using aggregate_t = payload_t<seed_t<F>>;

/// `A aggregator(const K& key, const V& value, Seed so_far)`, or std::optional<A>
template <typename F, typename K, typename V, typename Seed>
concept Aggregator = std::copy_constructible<F> && std::invocable<F&, const K&, const V&, Seed> &&
                     std::convertible_to<std::invoke_result_t<F&, const K&, const V&, Seed>,
                                         std::optional<payload_t<Seed>>>;

/// `A aggregator(const K& key, const V& value, Seed so_far)`, or std::optional<A>. Where V may be
/// null, so may the value: windows of time and sessions take null values in.
template <typename F, typename K, typename V, typename Seed>
concept WindowAggregator =
    std::copy_constructible<F> && std::invocable<F&, const K&, const V&, Seed> &&
    std::convertible_to<std::invoke_result_t<F&, const K&, const V&, Seed>,
                        std::optional<payload_t<Seed>>>;

/// `V reducer(V so_far, const V& value)`, or std::optional<V>
template <typename F, typename V>
concept WindowReducer = std::copy_constructible<F> && std::invocable < F&,
        payload_t<V>,
const V& > &&std::convertible_to<std::invoke_result_t<F&, payload_t<V>, const V&>,
                                 std::optional<payload_t<V>>>;

/// `Seed merger(const K& key, Seed so_far, const A& next)`
template <typename F, typename K, typename Seed>
concept SessionMerger = std::copy_constructible<F> && std::invocable < F&,
        const K&, Seed, const payload_t<Seed>
& > &&std::convertible_to<std::invoke_result_t<F&, const K&, Seed, const payload_t<Seed>&>, Seed>;

namespace internal {

template <typename J, typename K, typename V, typename Row>
struct JoinedValue {};
template <typename J, typename K, typename V, typename Row>
  requires std::invocable<J&, const K&, const V&, Row>
struct JoinedValue<J, K, V, Row> {
  using type = std::remove_cvref_t<std::invoke_result_t<J&, const K&, const V&, Row>>;
};
template <typename J, typename K, typename V, typename Row>
  requires(std::invocable<J&, const V&, Row> && !std::invocable<J&, const K&, const V&, Row>)
struct JoinedValue<J, K, V, Row> {
  using type = std::remove_cvref_t<std::invoke_result_t<J&, const V&, Row>>;
};

template <typename J, typename K, typename V, typename Row>
concept JoinerOf = std::copy_constructible<J> && requires {
  typename JoinedValue<J, K, V, Row>::type;
} && (!std::is_void_v<typename JoinedValue<J, K, V, Row>::type>);

/// How a left joiner wants to see the row that may be missing: as a pointer if it can. (A pointer
/// also turns into a TV made from pointers, such as bool: there the joiner means the optional.)
template <typename J, typename K, typename V, typename TV>
using left_row_t = std::conditional_t<
    JoinerOf<J, K, V, const TV*> &&
        !(std::is_constructible_v<TV, const TV*> && JoinerOf<J, K, V, std::optional<TV>>),
    const TV*, std::optional<TV>>;

/// Calls a joiner in whichever of its two forms it has.
template <typename J, typename K, typename V, typename Row>
decltype(auto) join_values(J& joiner, const K& key, const V& value, Row&& row) {
  if constexpr (std::invocable<J&, const K&, const V&, Row>) {
    return std::invoke(joiner, key, value, std::forward<Row>(row));
  } else {
    return std::invoke(joiner, value, std::forward<Row>(row));
  }
}

}  // namespace internal

/// `VOut joiner(const V& value, const TV& row)`, or with `const K& key` in front
template <typename J, typename K, typename V, typename TV>
concept StreamTableJoiner = internal::JoinerOf<J, K, V, const TV&>;

/// `VOut joiner(const V& value, const TV* row)`, or with std::optional<TV>, or with `const K& key`
/// in front
template <typename J, typename K, typename V, typename TV>
concept StreamTableLeftJoiner =
    internal::JoinerOf<J, K, V, const TV*> || internal::JoinerOf<J, K, V, std::optional<TV>>;

template <typename J, typename K, typename V, typename TV>
using joined_t = typename internal::JoinedValue<J, K, V, const TV&>::type;
template <typename J, typename K, typename V, typename TV>
using left_joined_t =
    typename internal::JoinedValue<J, K, V, internal::left_row_t<J, K, V, TV>>::type;

/// The keys of both sides of a join are of one type: only then do equal keys have equal bytes, and
/// lie in partitions of one number. Others are joined after select_key(), by a foreign key, or with
/// a global table.
template <typename KO, typename K>
concept CopartitionedWith = std::same_as<KO, K>;

/// The class a supplier makes objects of.
template <typename S>
  requires std::invocable<const S&>
using supplied_t = typename std::remove_cvref_t<std::invoke_result_t<const S&>>::element_type;

/// A supplier of processors that brings their stores along: `stores()` returns builders, the same
/// objects each time for stores that several processors share.
template <typename S>
concept ConnectedStoreProvider = requires(const S& supplier) {
  { supplier.stores() } -> std::same_as<std::vector<std::shared_ptr<StoreBuilder>>>;
};

namespace internal {

template <typename S>
concept SupplierOfUniquePointers =
    std::copy_constructible<S> && std::invocable<const S&> &&
    std::same_as<std::invoke_result_t<const S&>, std::unique_ptr<supplied_t<S>>>;

template <typename P>
concept IsProcessor = requires {
  typename P::InputKey;
  typename P::InputValue;
  typename P::OutputKey;
  typename P::OutputValue;
} && std::derived_from<P, Processor<typename P::InputKey, typename P::InputValue,
                                    typename P::OutputKey, typename P::OutputValue>>;

template <typename P>
concept IsFixedKeyProcessor = requires {
  typename P::InputKey;
  typename P::InputValue;
  typename P::OutputValue;
} && std::derived_from<P, FixedKeyProcessor<typename P::InputKey, typename P::InputValue,
                                            typename P::OutputValue>>;

}  // namespace internal

/// `std::unique_ptr<P> supplier() const`, P derived from Processor<K, V, ...>
template <typename S, typename K, typename V>
concept ProcessorSupplier =
    internal::SupplierOfUniquePointers<S> && internal::IsProcessor<supplied_t<S>> &&
    std::same_as<typename supplied_t<S>::InputKey, K> &&
    std::same_as<typename supplied_t<S>::InputValue, V>;

/// `std::unique_ptr<P> supplier() const`, P derived from FixedKeyProcessor<K, V, ...>
template <typename S, typename K, typename V>
concept FixedKeyProcessorSupplier =
    internal::SupplierOfUniquePointers<S> && internal::IsFixedKeyProcessor<supplied_t<S>> &&
    std::same_as<typename supplied_t<S>::InputKey, K> &&
    std::same_as<typename supplied_t<S>::InputValue, V>;

}  // namespace thalweg
