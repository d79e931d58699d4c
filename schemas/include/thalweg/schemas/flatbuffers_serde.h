#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <flatbuffers/flatbuffers.h>

#include <thalweg/schemas/serde.h>

namespace thalweg {

/// Where the binary schema of a generated table is. The headers that the CMake function
/// thalweg_flatbuffers() makes from `.fbs` files specialise it for every table in them:
///
///     static BytesView bytes();  // alive for as long as the program
template <typename Table>
struct BinarySchema;

/// The JSON view of the FlatBuffers table `name`, made from a binary schema that stays alive.
/// `verify` is the generated verifier: reflection reads only bytes it passed, at addresses that are
/// multiples of 8. Throws std::invalid_argument if the schema has no such table.
SchemaPtr flatbuffers_schema(std::string_view name, BytesView binary_schema,
                             bool (*verify)(BytesView));

/// A verified FlatBuffers table in its serialised form: fields are read in place, nothing is
/// unpacked.
///
///     Flat<shop::OrderEvent> event = ...;
///     event->order_id()->string_view();
///
/// Holds a valid table, made by deserialising or from a finished builder, unless it is empty().
template <typename Table>
class Flat {
 public:
  Flat() = default;
  explicit Flat(const flatbuffers::FlatBufferBuilder& finished)
      : bytes_(reinterpret_cast<const char*>(finished.GetBufferPointer()), finished.GetSize()) {}

  const Table* operator->() const { return flatbuffers::GetRoot<Table>(bytes_.data()); }
  const Table& operator*() const { return *operator->(); }
  BytesView bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

  friend bool operator==(const Flat&, const Flat&) = default;

 private:
  friend struct Serde<Flat<Table>>;
  std::string bytes_;  // Heap or in-place storage is at least 8-byte aligned when not empty.
};

namespace internal {

/// `bytes` at an address where FlatBuffers may read them in place; copied only if they are not, to
/// memory of the thread, so that a thread has one of these at a time.
class AlignedBytes {
 public:
  explicit AlignedBytes(BytesView bytes)
      : view_(reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(Word) == 0 ? bytes
                                                                                : copied(bytes)) {}
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;

  BytesView view() const { return view_; }

 private:
  using Word = std::uint64_t;
  static BytesView copied(BytesView bytes);

  BytesView view_;
};

[[noreturn]] void throw_not_a_table(std::string_view name, BytesView bytes);

/// Whether `bytes`, aligned to 8, hold a valid root of type Table within the limits of our own
/// messages: depth 32, 4096 tables.
template <typename Table>
bool is_valid_table(BytesView bytes) {
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return false;
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                 /*max_depth=*/32, /*max_tables=*/4096);
  return verifier.VerifyBuffer<Table>(nullptr);
}

template <typename Table>
SchemaPtr table_schema() {
  static const SchemaPtr schema = flatbuffers_schema(
      Table::GetFullyQualifiedName(), BinarySchema<Table>::bytes(), &is_valid_table<Table>);
  return schema;
}

}  // namespace internal

template <typename Table>
struct Serde<Flat<Table>> {
  static void serialize(const Flat<Table>& value, std::string& out) { out.append(value.bytes_); }
  static void deserialize(BytesView bytes, Flat<Table>& out) {
    out.bytes_.assign(bytes);  // The string's own storage is aligned, so it is verified there.
    if (internal::is_valid_table<Table>(out.bytes_)) return;
    out.bytes_.clear();
    internal::throw_not_a_table(Table::GetFullyQualifiedName(), bytes);
  }
  static SchemaPtr schema() { return internal::table_schema<Table>(); }
};

/// The unpacked form flatc generates (`OrderEventT`): a plain struct, for values that change.
template <typename T>
  requires std::is_base_of_v<flatbuffers::NativeTable, T>
struct Serde<T> {
  using Table = typename T::TableType;

  static void serialize(const T& value, std::string& out) {
    thread_local flatbuffers::FlatBufferBuilder builder;
    builder.Clear();
    builder.Finish(Table::Pack(builder, &value));
    out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  }
  static void deserialize(BytesView bytes, T& out) {
    const internal::AlignedBytes aligned(bytes);
    if (!internal::is_valid_table<Table>(aligned.view())) {
      internal::throw_not_a_table(Table::GetFullyQualifiedName(), bytes);
    }
    out = T{};  // UnPackTo of this FlatBuffers release merges instead of replacing.
    flatbuffers::GetRoot<Table>(aligned.view().data())->UnPackTo(&out);
  }
  static SchemaPtr schema() { return internal::table_schema<Table>(); }
};

}  // namespace thalweg
