#include "flatbuffers_json.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include <thalweg/schemas/error.h>

#include "json_text.h"

namespace thalweg::internal {
namespace {

using flatbuffers::ReadScalar;
using flatbuffers::Table;
using reflection::BaseType;

constexpr std::size_t kMaxText = std::size_t{64} << 20;

bool is_scalar(BaseType type) { return type >= reflection::UType && type <= reflection::Double; }
bool is_real(BaseType type) { return type == reflection::Float || type == reflection::Double; }

std::int64_t read_integer(BaseType type, const std::uint8_t* at) {
  switch (type) {
    case reflection::Byte:
      return ReadScalar<std::int8_t>(at);
    case reflection::Short:
      return ReadScalar<std::int16_t>(at);
    case reflection::UShort:
      return ReadScalar<std::uint16_t>(at);
    case reflection::Int:
      return ReadScalar<std::int32_t>(at);
    case reflection::UInt:
      return ReadScalar<std::uint32_t>(at);
    case reflection::Long:
    case reflection::ULong:
      return ReadScalar<std::int64_t>(at);
    default:
      return ReadScalar<std::uint8_t>(at);
  }
}

std::size_t scalar_size(BaseType type) {
  switch (type) {
    case reflection::Short:
    case reflection::UShort:
      return 2;
    case reflection::Int:
    case reflection::UInt:
    case reflection::Float:
      return 4;
    case reflection::Long:
    case reflection::ULong:
    case reflection::Double:
      return 8;
    default:
      return 1;
  }
}

/// What an offset at `at` refers to.
const std::uint8_t* follow(const std::uint8_t* at) {
  return at + ReadScalar<flatbuffers::uoffset_t>(at);
}

std::string_view text_of(const std::uint8_t* string) {
  return reinterpret_cast<const flatbuffers::String*>(string)->string_view();
}

}  // namespace

/// One walk over one buffer.
class FlatbuffersJson::Writer {
 public:
  Writer(const FlatbuffersJson& json, std::string& out)
      : json_(json), out_(out), limit_(out.size() + kMaxText) {}

  void table(std::size_t object, const Table& table) {
    out_ += '{';
    bool first = true;
    for (const Member& member : json_.members_[object]) table_member(table, member, first);
    out_ += '}';
  }

 private:
  void table_member(const Table& table, const Member& member, bool& first) {
    const reflection::Type& type = *member.field->type();
    const std::uint8_t* at = table.GetAddressOf(member.field->offset());
    if (is_scalar(type.base_type())) {
      if (at == nullptr && member.is_optional) return;
      name(member, first);
      at == nullptr ? default_scalar(*member.field) : scalar(type, type.base_type(), at);
    } else if (at == nullptr) {
      return;
    } else if (type.base_type() == reflection::Obj && is_struct(type.index())) {
      name(member, first);
      structure(static_cast<std::size_t>(type.index()), at);
    } else if (type.base_type() == reflection::Union) {
      const std::uint8_t* tag = table.GetAddressOf(member.union_type->offset());
      if (tag == nullptr || *tag == 0) return;
      name(member, first);
      union_value(type, *tag, follow(at));
    } else {
      name(member, first);
      const std::uint8_t* tags =
          member.union_type == nullptr ? nullptr : table.GetAddressOf(member.union_type->offset());
      referred(type, follow(at), tags == nullptr ? nullptr : follow(tags));
    }
  }

  /// What an offset of `type` leads to; `tags` is the vector of types if it is a vector of unions.
  void referred(const reflection::Type& type, const std::uint8_t* target,
                const std::uint8_t* tags) {
    if (type.base_type() == reflection::String) {
      string(target);
    } else if (type.base_type() == reflection::Vector) {
      vector(type, target, tags);
    } else if (type.base_type() == reflection::Obj) {
      table(static_cast<std::size_t>(type.index()), *reinterpret_cast<const Table*>(target));
    } else {
      out_ += "null";
    }
  }

  void vector(const reflection::Type& type, const std::uint8_t* vector, const std::uint8_t* tags) {
    const auto size = ReadScalar<flatbuffers::uoffset_t>(vector);
    const std::uint8_t* const data = vector + sizeof(flatbuffers::uoffset_t);
    if (type.element() == reflection::Union && tags == nullptr) {
      out_ += "[]";
      return;
    }
    elements(type, data, size, tags == nullptr ? nullptr : tags + sizeof(flatbuffers::uoffset_t));
  }

  void elements(const reflection::Type& type, const std::uint8_t* data, std::size_t size,
                const std::uint8_t* tags) {
    const BaseType element = type.element();
    const bool in_place = element == reflection::Obj && is_struct(type.index());
    const std::size_t stride = is_scalar(element) ? scalar_size(element)
                               : in_place         ? struct_size(type.index())
                                                  : sizeof(flatbuffers::uoffset_t);
    out_ += '[';
    for (std::size_t i = 0; i < size; ++i, data += stride) {
      if (i > 0) out_ += ',';
      if (is_scalar(element)) {
        scalar(type, element, data);
      } else if (in_place) {
        structure(static_cast<std::size_t>(type.index()), data);
      } else if (element == reflection::Union) {
        tags[i] == 0 ? void(out_ += "null") : union_value(type, tags[i], follow(data));
      } else if (element == reflection::String) {
        string(follow(data));
      } else {
        table(static_cast<std::size_t>(type.index()),
              *reinterpret_cast<const Table*>(follow(data)));
      }
      check_size();
    }
    out_ += ']';
  }

  void structure(std::size_t object, const std::uint8_t* data) {
    out_ += '{';
    bool first = true;
    for (const Member& member : json_.members_[object]) {
      name(member, first);
      const reflection::Type& type = *member.field->type();
      const std::uint8_t* at = data + member.field->offset();
      if (type.base_type() == reflection::Array) {
        elements(type, at, type.fixed_length(), nullptr);
      } else if (type.base_type() == reflection::Obj) {
        structure(static_cast<std::size_t>(type.index()), at);
      } else {
        scalar(type, type.base_type(), at);
      }
    }
    out_ += '}';
  }

  void union_value(const reflection::Type& type, std::uint8_t tag, const std::uint8_t* value) {
    const auto* known = enum_value(type.index(), tag);
    if (known == nullptr || known->union_type() == nullptr) {
      out_ += "null";  // A newer writer's: the verifier has not looked inside.
    } else if (known->union_type()->base_type() == reflection::Obj &&
               is_struct(known->union_type()->index())) {
      structure(static_cast<std::size_t>(known->union_type()->index()), value);
    } else {
      referred(*known->union_type(), value, nullptr);
    }
  }

  void scalar(const reflection::Type& type, BaseType base, const std::uint8_t* at) {
    if (base == reflection::Float) {
      append_json_number(ReadScalar<float>(at), out_);
    } else if (base == reflection::Double) {
      append_json_number(ReadScalar<double>(at), out_);
    } else {
      integer(type, base, read_integer(base, at));
    }
  }

  void default_scalar(const reflection::Field& field) {
    const reflection::Type& type = *field.type();
    if (is_real(type.base_type())) {
      append_json_number(field.default_real(), out_);
    } else {
      integer(type, type.base_type(), field.default_integer());
    }
  }

  void integer(const reflection::Type& type, BaseType base, std::int64_t value) {
    if (const auto* known = enum_value(type.index(), value)) {
      append_json_string(known->name()->string_view(), out_);
    } else if (base == reflection::Bool) {
      out_ += value != 0 ? "true" : "false";
    } else if (base == reflection::ULong) {
      out_ += std::to_string(static_cast<std::uint64_t>(value));
    } else {
      out_ += std::to_string(value);
    }
  }

  void string(const std::uint8_t* string) {
    append_json_string(text_of(string), out_);
    check_size();
  }

  void name(const Member& member, bool& first) {
    if (!first) out_ += ',';
    first = false;
    out_ += '"';
    out_ += member.field->name()->string_view();
    out_ += "\":";
  }

  void check_size() const {
    if (out_.size() > limit_) {
      throw SerdeError("the JSON view of these bytes is larger than 64 MiB");
    }
  }

  /// Null unless `index` is an enum's and it names `value`.
  const reflection::EnumVal* enum_value(std::int32_t index, std::int64_t value) const {
    if (index < 0) return nullptr;
    return json_.schema_->enums()->Get(static_cast<unsigned>(index))->values()->LookupByKey(value);
  }

  const reflection::Object& object(std::int32_t index) const {
    return *json_.schema_->objects()->Get(static_cast<unsigned>(index));
  }
  bool is_struct(std::int32_t index) const { return object(index).is_struct(); }
  std::size_t struct_size(std::int32_t index) const {
    return static_cast<std::size_t>(object(index).bytesize());
  }

  const FlatbuffersJson& json_;
  std::string& out_;
  const std::size_t limit_;
};

FlatbuffersJson::FlatbuffersJson(std::string_view root, std::string_view schema) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(schema.data()),
                                 schema.size());
  if (!reflection::VerifySchemaBuffer(verifier)) {
    throw std::invalid_argument("no binary FlatBuffers schema given for " + std::string(root));
  }
  schema_ = reflection::GetSchema(schema.data());
  const auto& objects = *schema_->objects();
  members_.reserve(objects.size());
  root_ = objects.size();
  for (const reflection::Object* object : objects) {
    if (object->name()->string_view() == root && !object->is_struct()) root_ = members_.size();
    members_.push_back(members_of(*object));
  }
  if (root_ == objects.size()) {
    throw std::invalid_argument("the FlatBuffers schema has no table " + std::string(root));
  }
}

FlatbuffersJson::Members FlatbuffersJson::members_of(const reflection::Object& object) {
  std::vector<const reflection::Field*> by_id(object.fields()->begin(), object.fields()->end());
  std::ranges::sort(by_id, {}, [](const reflection::Field* field) { return field->id(); });
  Members members;
  for (std::size_t i = 0; i < by_id.size(); ++i) {
    const reflection::Field* field = by_id[i];
    if (field->deprecated()) continue;
    Member member{.field = field, .is_optional = field->optional()};
    const reflection::Type& type = *field->type();
    const bool has_union =
        type.base_type() == reflection::Union || type.element() == reflection::Union;
    if (has_union) member.union_type = by_id.at(i - 1);  // flatc gives the type the id before it.
    members.push_back(member);
  }
  return members;
}

void FlatbuffersJson::write(std::string_view bytes, std::string& out) const {
  Writer(*this, out).table(root_, *flatbuffers::GetRoot<Table>(bytes.data()));
}

}  // namespace thalweg::internal
