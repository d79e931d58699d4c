# Script: writes HEADER = the header flatc made (RAW_generated.h) + the binary schema it made
# (RAW.bfbs) as a specialisation of thalweg::BinarySchema for each table of the header.
file(READ ${RAW}_generated.h code)
file(READ ${RAW}.bfbs hex HEX)

# flatc puts the full name of a table after the line that opens its class. (A semicolon would be the
# end of a list element.)
string(REPLACE ";" "," searched "${code}")
set(table "FLATBUFFERS_FINAL_CLASS : private flatbuffers::Table {[^\"]*")
string(APPEND table "GetFullyQualifiedName\\(\\) {[^\"]*\"[^\"]*\"")
string(REGEX MATCHALL "${table}" classes "${searched}")
set(tables)
foreach(class IN LISTS classes)
  string(REGEX REPLACE ".*\"([^\"]*)\"$" "\\1" name "${class}")
  string(REPLACE "." "::" name "${name}")
  list(APPEND tables ${name})
endforeach()
if(NOT tables)
  file(WRITE ${HEADER} "${code}")
  return()
endif()

# One array for all tables of the file, which only this name tells from those of other files.
string(SHA1 unique "${tables}")
string(SUBSTRING ${unique} 0 16 unique)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "\n$" "" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" hex "${hex}")
string(REPLACE "\n" "\"\n    \"" hex "${hex}")

set(embedded "
#include <thalweg/schemas/flatbuffers_serde.h>

namespace thalweg::internal {
alignas(8) inline constexpr char kBinarySchema_${unique}[] =
    \"${hex}\";
}  // namespace thalweg::internal
")
foreach(table IN LISTS tables)
  string(APPEND embedded "
template <>
struct thalweg::BinarySchema<${table}> {
  static thalweg::BytesView bytes() { return {internal::kBinarySchema_${unique}, ${size}}; }
};
")
endforeach()
# Before the #endif of flatc's include guard.
string(REGEX REPLACE "#endif  // FLATBUFFERS_GENERATED_[A-Za-z0-9_]*[ \n]*$" "" code "${code}")
file(WRITE ${HEADER} "${code}${embedded}\n#endif\n")
