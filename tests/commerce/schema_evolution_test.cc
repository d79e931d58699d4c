// Schemas change without anybody who has old bytes noticing: fields are added, and nothing else.
// `schemas_v1/` holds the schemas as they were first, and a record of each table with all of its
// fields. It is not changed; those that have since are in `schemas_v2/` in their next form, and so
// on.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <flatbuffers/idl.h>
#include <flatbuffers/reflection.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg::shop {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const fs::path kNow = THALWEG_SHOP_SCHEMAS;
const fs::path kFirst = THALWEG_SHOP_SCHEMAS_V1;
/// Deliveries name their receiver.
const fs::path kSecond = THALWEG_SHOP_SCHEMAS_V2;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One schema file, as FlatBuffers reads it.
class SchemaFile {
 public:
  explicit SchemaFile(const std::string& text, const fs::path& includes = {}) {
    const char* folders[] = {includes.c_str(), nullptr};
    EXPECT_TRUE(parser_.Parse(text.c_str(), folders)) << parser_.error_;
    parser_.Serialize();
    bytes_.assign(reinterpret_cast<const char*>(parser_.builder_.GetBufferPointer()),
                  parser_.builder_.GetSize());
  }
  static SchemaFile at(const fs::path& path) {
    return SchemaFile(text_of(path), path.parent_path());
  }
  const reflection::Schema& operator*() const { return *reflection::GetSchema(bytes_.data()); }
  const reflection::Schema* operator->() const { return &**this; }

 private:
  flatbuffers::Parser parser_;
  std::string bytes_;
};

/// "long", "thalweg.shop.fb.Item", "[string]": what the bytes of a field are.
std::string type_of(const reflection::Schema& schema, const reflection::Type& type) {
  const auto base = [&](reflection::BaseType kind) -> std::string {
    if (kind == reflection::Obj) return schema.objects()->Get(type.index())->name()->str();
    std::string name = reflection::EnumNameBaseType(kind);
    if (type.index() >= 0) name += ' ' + schema.enums()->Get(type.index())->name()->str();
    return name;
  };
  if (type.base_type() == reflection::Vector) return '[' + base(type.element()) + ']';
  return base(type.base_type());
}

/// Null: the table has no such field.
const reflection::Field* field_of(const reflection::Object& table, std::string_view name) {
  for (const auto* field : *table.fields()) {
    if (field->name()->string_view() == name) return field;
  }
  return nullptr;
}

/// What keeps `now` from reading bytes of `then`, or the other way round.
std::vector<std::string> faults(const reflection::Schema& then, const reflection::Schema& now) {
  std::vector<std::string> found;
  for (const auto* old_table : *then.objects()) {
    const std::string name = old_table->name()->str();
    const auto* table = now.objects()->LookupByKey(name.c_str());
    if (!table) {
      found.push_back(name + " is gone");
      continue;
    }
    for (const auto* old_field : *old_table->fields()) {
      const std::string place = name + '.' + old_field->name()->str();
      const auto* field = field_of(*table, old_field->name()->string_view());
      if (!field) {
        found.push_back(place + " is gone");
      } else if (field->id() != old_field->id()) {
        found.push_back(place + " has another id");
      } else if (type_of(now, *field->type()) != type_of(then, *old_field->type())) {
        found.push_back(place + " has another type");
      } else if (field->default_integer() != old_field->default_integer() ||
                 field->default_real() != old_field->default_real()) {
        found.push_back(place + " has another default");
      }
    }
    for (const auto* field : *table->fields()) {
      const bool is_new = !field_of(*old_table, field->name()->string_view());
      if (is_new && table->is_struct()) {
        found.push_back(name + '.' + field->name()->str() + " is new, and a struct cannot grow");
      } else if (is_new && field->required()) {
        found.push_back(name + '.' + field->name()->str() + " is required, and old bytes lack it");
      }
    }
  }
  for (const auto* old_names : *then.enums()) {
    const std::string name = old_names->name()->str();
    const auto* names = now.enums()->LookupByKey(name.c_str());
    for (const auto* value : *old_names->values()) {
      const auto* same = names ? names->values()->LookupByKey(value->value()) : nullptr;
      if (!same || same->name()->str() != value->name()->str()) {
        found.push_back(name + '.' + value->name()->str() + " is gone, or has another number");
      }
    }
  }
  return found;
}

std::vector<std::string> faults(std::string_view then, std::string_view now) {
  return faults(*SchemaFile(std::string(then)), *SchemaFile(std::string(now)));
}

/// Looks whether the schemas have only grown since those in `then`; gives how many there are.
int compare_with(const fs::path& then) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(then)) {
    if (entry.path().extension() != ".fbs") continue;
    ++files;
    const auto now = SchemaFile::at(kNow / entry.path().filename());
    EXPECT_THAT(faults(*SchemaFile::at(entry.path()), *now), IsEmpty()) << entry.path();
  }
  return files;
}

TEST(SchemaEvolution, EverySchemaOnlyEverGrew) {
  EXPECT_EQ(compare_with(kFirst), 10);
  EXPECT_EQ(compare_with(kSecond), 1);
}

/// Reads the records in `then`, which flatc wrote when those schemas were new; gives how many there
/// are.
int read_records_of(const fs::path& then) {
  std::map<std::string, std::string> file_of;
  for (const auto& entry : fs::directory_iterator(kNow)) {
    const auto schema = SchemaFile::at(entry.path());
    for (const auto* table : *schema->objects()) {
      file_of.try_emplace(table->name()->str(), entry.path());
    }
  }
  std::istringstream records(text_of(then / "records.jsonl"));
  int tables = 0;
  for (std::string line; std::getline(records, line); ++tables) {
    const auto record = json::parse(line);
    const std::string table(record.at("table").as_string());
    const std::string hex(record.at("bytes").as_string());
    std::vector<std::uint64_t> aligned((hex.size() / 2 + 7) / 8);
    auto* bytes = reinterpret_cast<std::uint8_t*>(aligned.data());
    for (std::size_t i = 0; i < hex.size() / 2; ++i) {
      bytes[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    }
    flatbuffers::Parser parser;
    parser.opts.strict_json = true;
    const char* folders[] = {kNow.c_str(), nullptr};
    EXPECT_TRUE(parser.Parse(text_of(file_of.at(table)).c_str(), folders)) << parser.error_;
    EXPECT_TRUE(parser.SetRootType(table.c_str())) << table;

    std::string said;
    EXPECT_TRUE(flatbuffers::GenerateText(parser, bytes, &said)) << table;

    EXPECT_EQ(json::parse(said), record.at("value")) << table;
  }
  return tables;
}

TEST(SchemaEvolution, OldBytesAreReadFieldByField) {
  EXPECT_EQ(read_records_of(kFirst), 34);
  EXPECT_EQ(read_records_of(kSecond), 3);
}

constexpr std::string_view kFruit = R"(
  enum Colour : ubyte { RED = 0, GREEN = 1 }
  table Fruit { name:string (id: 0); weight:long (id: 1); colour:Colour (id: 2); }
  table Basket { fruits:[Fruit] (id: 0); }
)";

TEST(SchemaEvolution, AFieldATableAndANameMayBeAdded) {
  EXPECT_THAT(faults(kFruit, R"(
    enum Colour : ubyte { RED = 0, GREEN = 1, BLUE = 2 }
    table Fruit { name:string (id: 0); weight:long (id: 1); colour:Colour (id: 2);
                  sort:string (id: 3); }
    table Basket { fruits:[Fruit] (id: 0); owner:string (id: 1); }
    table Shelf { baskets:[Basket] (id: 0); }
  )"),
              IsEmpty());
}

TEST(SchemaEvolution, WhatBreaksOldBytesIsNamed) {
  EXPECT_THAT(
      faults(kFruit, R"(
    enum Colour : ubyte { GREEN = 0, RED = 1 }
    table Fruit { weight:int (id: 0); colour:Colour = RED (id: 1); sort:string (id: 2, required); }
  )"),
      ElementsAre("Basket is gone", "Fruit.colour has another id", "Fruit.name is gone",
                  "Fruit.weight has another id", "Fruit.sort is required, and old bytes lack it",
                  "Colour.RED is gone, or has another number",
                  "Colour.GREEN is gone, or has another number"));
  EXPECT_THAT(faults("struct Point { x:int; y:int; }", "struct Point { x:int; y:int; z:int; }"),
              ElementsAre("Point.z is new, and a struct cannot grow"));
  EXPECT_THAT(faults(kFruit, R"(
    enum Colour : ubyte { RED = 0, GREEN = 1 }
    table Fruit { name:[ubyte] (id: 0); weight:long = 5 (id: 1); colour:ubyte (id: 2); }
    table Basket { fruits:[string] (id: 0); }
  )"),
              ElementsAre("Basket.fruits has another type", "Fruit.colour has another type",
                          "Fruit.name has another type", "Fruit.weight has another default"));
}

}  // namespace
}  // namespace thalweg::shop
