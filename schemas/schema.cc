#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/schema.h>
#include <thalweg/schemas/serde.h>

#include "json_text.h"

namespace thalweg {
namespace {

using internal::append_json_string;
using internal::json_string_value;
using internal::quoted_excerpt;

template <typename Int>
class IntegerSchema final : public Schema {
 public:
  explicit IntegerSchema(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }

  void to_json(BytesView bytes, std::string& out) const override {
    Int value;
    Serde<Int>::deserialize(bytes, value);
    out += std::to_string(value);
  }

  void from_json(std::string_view json, std::string& out) const override {
    const std::string_view digits = internal::trimmed(json);
    const std::size_t first = digits.starts_with('-') ? 1 : 0;
    const bool leading_zero = digits.size() > first + 1 && digits[first] == '0';
    Int value = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || leading_zero) {
      using Limits = std::numeric_limits<Int>;
      throw SerdeError(std::string(name_) + " needs a whole number from " +
                       std::to_string(Limits::min()) + " to " + std::to_string(Limits::max()) +
                       ", got " + quoted_excerpt(json));
    }
    Serde<Int>::serialize(value, out);
  }

 private:
  std::string_view name_;
};

template <typename Float>
class FloatSchema final : public Schema {
 public:
  explicit FloatSchema(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }

  void to_json(BytesView bytes, std::string& out) const override {
    Float value;
    Serde<Float>::deserialize(bytes, value);
    internal::append_json_number(value, out);
  }

  void from_json(std::string_view json, std::string& out) const override {
    Serde<Float>::serialize(parse(internal::trimmed(json)), out);
  }

 private:
  Float parse(std::string_view json) const {
    using Limits = std::numeric_limits<Float>;
    if (json == R"("NaN")") return Limits::quiet_NaN();
    if (json == R"("Infinity")") return Limits::infinity();
    if (json == R"("-Infinity")") return -Limits::infinity();
    if (!json.empty() && (json[0] == '-' || (json[0] >= '0' && json[0] <= '9'))) {
      internal::check_json(json);
      Float value = 0;
      const auto read = std::from_chars(json.data(), json.data() + json.size(), value);
      if (read.ec == std::errc{}) return value;
    }
    throw SerdeError(std::string(name_) +
                     R"( needs a number in its range, "NaN", "Infinity" or "-Infinity", got )" +
                     quoted_excerpt(json));
  }

  std::string_view name_;
};

class BoolSchema final : public Schema {
 public:
  std::string_view name() const override { return "bool"; }
  void to_json(BytesView bytes, std::string& out) const override {
    bool value;
    Serde<bool>::deserialize(bytes, value);
    out += value ? "true" : "false";
  }
  void from_json(std::string_view json, std::string& out) const override {
    const std::string_view word = internal::trimmed(json);
    if (word != "true" && word != "false") {
      throw SerdeError("bool needs true or false, got " + quoted_excerpt(json));
    }
    Serde<bool>::serialize(word == "true", out);
  }
};

class StringSchema final : public Schema {
 public:
  std::string_view name() const override { return "string"; }
  void to_json(BytesView bytes, std::string& out) const override { append_json_string(bytes, out); }
  void from_json(std::string_view json, std::string& out) const override {
    out += json_string_value("string", json);
  }
};

class BytesSchema : public Schema {
 public:
  std::string_view name() const override { return "bytes"; }
  void to_json(BytesView bytes, std::string& out) const override {
    out += '"';
    internal::append_base64(bytes, out);
    out += '"';
  }
  void from_json(std::string_view json, std::string& out) const override {
    internal::append_from_base64(json_string_value("bytes", json), out);
  }
};

class WindowedKeySchema final : public BytesSchema {
 public:
  explicit WindowedKeySchema(std::size_t window_bytes) : window_bytes_(window_bytes) {}
  std::size_t window_bytes() const override { return window_bytes_; }

 private:
  std::size_t window_bytes_;
};

class UuidSchema final : public Schema {
 public:
  std::string_view name() const override { return "uuid"; }
  void to_json(BytesView bytes, std::string& out) const override {
    out += '"' + to_string(uuid_from_string(bytes)) + '"';
  }
  void from_json(std::string_view json, std::string& out) const override {
    Serde<Uuid>::serialize(uuid_from_string(json_string_value("uuid", json)), out);
  }
};

class JsonSchema final : public Schema {
 public:
  std::string_view name() const override { return "json"; }
  void to_json(BytesView bytes, std::string& out) const override {
    internal::check_json(bytes);
    // Line breaks within valid JSON are only white space between its tokens.
    std::transform(bytes.begin(), bytes.end(), std::back_inserter(out),
                   [](char c) { return c == '\n' || c == '\r' ? ' ' : c; });
  }
  void from_json(std::string_view json, std::string& out) const override {
    internal::check_json(json);
    out += internal::trimmed(json);
  }
};

template <typename S, typename... Arguments>
SchemaPtr shared(Arguments... arguments) {
  static const SchemaPtr schema = std::make_shared<const S>(arguments...);
  return schema;
}

}  // namespace

SchemaPtr bytes_schema() { return shared<BytesSchema>(); }
SchemaPtr windowed_key_schema(std::size_t window_bytes) {
  return std::make_shared<const WindowedKeySchema>(window_bytes);
}

SchemaPtr Serde<std::int16_t>::schema() { return shared<IntegerSchema<std::int16_t>>("i16"); }
SchemaPtr Serde<std::int32_t>::schema() { return shared<IntegerSchema<std::int32_t>>("i32"); }
SchemaPtr Serde<std::int64_t>::schema() { return shared<IntegerSchema<std::int64_t>>("i64"); }
SchemaPtr Serde<float>::schema() { return shared<FloatSchema<float>>("f32"); }
SchemaPtr Serde<double>::schema() { return shared<FloatSchema<double>>("f64"); }
SchemaPtr Serde<bool>::schema() { return shared<BoolSchema>(); }
SchemaPtr Serde<std::string>::schema() { return shared<StringSchema>(); }
SchemaPtr Serde<Uuid>::schema() { return shared<UuidSchema>(); }
SchemaPtr Serde<JsonText>::schema() { return shared<JsonSchema>(); }

}  // namespace thalweg
