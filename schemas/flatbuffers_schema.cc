#include "flatbuffers_schema.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <flatbuffers/idl.h>
#include <flatbuffers/reflection.h>

#include <thalweg/schemas/flatbuffers_serde.h>
#include <thalweg/schemas/schema_text.h>

#include "flatbuffers_json.h"
#include "json_text.h"

namespace thalweg {
namespace {

class FlatbuffersSchema final : public Schema {
 public:
  using Verify = std::function<bool(BytesView)>;

  FlatbuffersSchema(std::string_view name, BytesView binary, Verify verify)
      : name_(name), binary_(binary), verify_(std::move(verify)), json_(name_, binary_) {}
  /// Keeps the binary schema itself.
  FlatbuffersSchema(std::string_view name, std::shared_ptr<const std::string> binary, Verify verify)
      : FlatbuffersSchema(name, BytesView(*binary), std::move(verify)) {
    kept_ = std::move(binary);
  }

  std::string_view name() const override { return name_; }
  BytesView binary() const { return binary_; }

  void to_json(BytesView bytes, std::string& out) const override {
    internal::AlignedBytes aligned(bytes);
    if (!verify_(aligned.view())) {
      throw SerdeError("not a valid " + name_ + " (" + std::to_string(bytes.size()) + " bytes)");
    }
    json_.write(aligned.view(), out);
  }

  void from_json(std::string_view json, std::string& out) const override {
    // flatbuffers::Parser stops at a NUL and is lenient; what passes here is JSON.
    internal::check_json(json);
    std::unique_ptr<flatbuffers::Parser> parser = take_parser();
    if (!parser->ParseJson(std::string(json).c_str())) {
      // Not given back: a parser is in no defined state after an error.
      throw SerdeError(name_ + " cannot be made from this JSON: " + message_of(*parser));
    }
    const flatbuffers::FlatBufferBuilder& built = parser->builder_;
    const BytesView bytes(reinterpret_cast<const char*>(built.GetBufferPointer()), built.GetSize());
    if (!verify_(bytes)) {
      throw SerdeError(name_ + " from this JSON is nested too deeply or has too many tables");
    }
    out.append(bytes);
    give_back(std::move(parser));
  }

 private:
  std::unique_ptr<flatbuffers::Parser> take_parser() const {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_parsers_.empty()) {
        auto parser = std::move(idle_parsers_.back());
        idle_parsers_.pop_back();
        return parser;
      }
    }
    flatbuffers::IDLOptions options;
    options.strict_json = true;
    options.no_warnings = true;
    auto parser = std::make_unique<flatbuffers::Parser>(options);
    const auto* data = reinterpret_cast<const std::uint8_t*>(binary_.data());
    if (!parser->Deserialize(data, binary_.size()) || !parser->SetRootType(name_.c_str())) {
      throw std::invalid_argument("FlatBuffers cannot read the binary schema of " + name_);
    }
    return parser;
  }

  void give_back(std::unique_ptr<flatbuffers::Parser> parser) const {
    parser->builder_.Clear();
    const std::lock_guard lock(mutex_);
    idle_parsers_.push_back(std::move(parser));
  }

  /// The parser's own sentence, on one line.
  static std::string message_of(const flatbuffers::Parser& parser) {
    std::string message = parser.error_;
    std::ranges::replace(message, '\n', ' ');
    return std::string(internal::trimmed(message));
  }

  std::string name_;
  BytesView binary_;
  Verify verify_;
  internal::FlatbuffersJson json_;
  std::shared_ptr<const std::string> kept_;
  mutable std::mutex mutex_;
  /// A parser is costly to make and serves one thread at a time; here wait those that nobody uses.
  mutable std::vector<std::unique_ptr<flatbuffers::Parser>> idle_parsers_;
};

}  // namespace

SchemaPtr flatbuffers_schema(std::string_view name, BytesView binary_schema,
                             bool (*verify)(BytesView)) {
  return std::make_shared<const FlatbuffersSchema>(name, binary_schema, verify);
}

BytesView binary_schema(const Schema& schema) {
  const auto* table = dynamic_cast<const FlatbuffersSchema*>(&schema);
  return table ? table->binary() : BytesView();
}

namespace internal {

SchemaPtr described_schema(std::string_view name, std::string binary) {
  const auto kept = std::make_shared<const std::string>(std::move(binary));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(kept->data());
  flatbuffers::Verifier verifier(bytes, kept->size());
  if (!reflection::VerifySchemaBuffer(verifier)) return nullptr;
  const auto* schema = reflection::GetSchema(bytes);
  const auto* table = schema->objects()->LookupByKey(std::string(name).c_str());
  if (!table || table->is_struct()) return nullptr;
  const auto verify = [schema, table](BytesView value) {
    if (value.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return false;
    return flatbuffers::Verify(*schema, *table, reinterpret_cast<const std::uint8_t*>(value.data()),
                               value.size(), /*max_depth=*/32, /*max_tables=*/4096);
  };
  try {
    return std::make_shared<const FlatbuffersSchema>(name, kept, verify);
  } catch (const std::invalid_argument&) {
    return nullptr;
  }
}

BytesView AlignedBytes::copied(BytesView bytes) {
  thread_local std::vector<Word> copy;
  copy.resize((bytes.size() + sizeof(Word) - 1) / sizeof(Word));
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return {reinterpret_cast<const char*>(copy.data()), bytes.size()};
}

void throw_not_a_table(std::string_view name, BytesView bytes) {
  throw SerdeError("not a valid " + std::string(name) + " (" + std::to_string(bytes.size()) +
                   " bytes)");
}

}  // namespace internal
}  // namespace thalweg
