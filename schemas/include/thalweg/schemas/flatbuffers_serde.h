#pragma once

#include <cstring>
#include <string>
#include <type_traits>

#include <flatbuffers/flatbuffers.h>

#include <thalweg/schemas/serde.h>

namespace thalweg {

/// The JSON view of the FlatBuffers table `name`, made from the binary schema that flatc embeds
/// (`--bfbs-gen-embed`). `verify` is the generated verifier: reflection reads only bytes it passed.
SchemaPtr flatbuffers_schema(std::string_view name, BytesView binary_schema,
                             bool (*verify)(BytesView));

/// A verified FlatBuffers table in its serialised form: fields are read in place, nothing is unpacked.
///
///     Flat<shop::OrderEvent> event = ...;
///     event->order_id()->string_view();
///
/// Always holds a valid table; made by deserialising or from a finished builder.
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

/// Throws SerdeError unless `bytes` hold a valid root of type Table, within the limits of our own
/// messages (depth 32, 4096 tables).
template <typename Table>
void verify_table(BytesView bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                 /*max_depth=*/32, /*max_tables=*/4096, /*check_alignment=*/false);
  if (!verifier.VerifyBuffer<Table>(nullptr)) {
    throw SerdeError(std::string("not a valid ") + Table::GetFullyQualifiedName() + " (" +
                     std::to_string(bytes.size()) + " bytes)");
  }
}

template <typename Table>
bool is_valid_table(BytesView bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                 32, 4096, false);
  return verifier.VerifyBuffer<Table>(nullptr);
}

template <typename Table>
SchemaPtr table_schema() {
  static const SchemaPtr schema = flatbuffers_schema(
      Table::GetFullyQualifiedName(),
      BytesView(reinterpret_cast<const char*>(Table::BinarySchema::data()),
                Table::BinarySchema::size()),
      &is_valid_table<Table>);
  return schema;
}

}  // namespace internal

template <typename Table>
struct Serde<Flat<Table>> {
  static void serialize(const Flat<Table>& value, std::string& out) { out.append(value.bytes_); }
  static void deserialize(BytesView bytes, Flat<Table>& out) {
    internal::verify_table<Table>(bytes);
    out.bytes_.assign(bytes);
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
    internal::verify_table<Table>(bytes);
    out = T{};  // UnPackTo of this FlatBuffers release merges instead of replacing.
    flatbuffers::GetRoot<Table>(bytes.data())->UnPackTo(&out);
  }
  static SchemaPtr schema() { return internal::table_schema<Table>(); }
};

}  // namespace thalweg
