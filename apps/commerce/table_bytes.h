#pragma once

#include <string>

#include <flatbuffers/flatbuffers.h>

#include <thalweg/schemas/flatbuffers_serde.h>

// What the serdes of the shop's own records are made with. For .cc files only.
namespace thalweg::shop {

using TextOffset = flatbuffers::Offset<flatbuffers::String>;

/// The thread's own builder, empty.
inline flatbuffers::FlatBufferBuilder& cleared_builder() {
  thread_local flatbuffers::FlatBufferBuilder builder(512);
  builder.Clear();
  return builder;
}

template <typename Table>
void finish(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> root,
            std::string& out) {
  builder.Finish(root);
  out.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

/// Calls `read(table)` on the verified root. Throws SerdeError for bytes that are no such table.
template <typename Table, typename Read>
void read_table(BytesView bytes, Read read) {
  const thalweg::internal::AlignedBytes aligned(bytes);
  if (!thalweg::internal::is_valid_table<Table>(aligned.view())) {
    thalweg::internal::throw_not_a_table(Table::GetFullyQualifiedName(), bytes);
  }
  read(*flatbuffers::GetRoot<Table>(aligned.view().data()));
}

/// Empty text is left out: most fields of most records are empty.
inline TextOffset text(flatbuffers::FlatBufferBuilder& builder, const std::string& value) {
  return value.empty() ? TextOffset() : builder.CreateString(value);
}

inline void assign(std::string& to, const flatbuffers::String* from) {
  if (from) {
    to.assign(from->c_str(), from->size());
  } else {
    to.clear();
  }
}

}  // namespace thalweg::shop
