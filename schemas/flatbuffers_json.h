#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/reflection_generated.h>

namespace thalweg::internal {

/// Writes verified FlatBuffers tables as JSON, in the spelling that flatbuffers::Parser reads back:
/// fields by name, enum values by name, a union with its `<name>_type`. Scalars that are absent
/// have their default; absent strings, tables and vectors are left out.
///
/// Immutable after construction, so any thread may write.
class FlatbuffersJson {
 public:
  /// `schema` is a binary schema that outlives this. Throws std::invalid_argument if it is none, or
  /// has no table `root`.
  FlatbuffersJson(std::string_view root, std::string_view schema);

  /// Appends the table that `bytes` hold, which the generated verifier must have passed. Throws
  /// SerdeError if the text would grow past 64 MiB: a small buffer may refer to one string many
  /// times.
  void write(std::string_view bytes, std::string& out) const;

 private:
  class Writer;
  /// One member of a table or struct, with what would otherwise be looked up per value.
  struct Member {
    const reflection::Field* field;
    const reflection::Field* union_type = nullptr;  ///< For a union, the field with its type.
    bool is_optional = false;                       ///< A scalar without a default.
  };
  using Members = std::vector<Member>;

  static Members members_of(const reflection::Object& object);

  const reflection::Schema* schema_;
  std::vector<Members> members_;  ///< By object index, in the order of their ids.
  std::size_t root_ = 0;
};

}  // namespace thalweg::internal
