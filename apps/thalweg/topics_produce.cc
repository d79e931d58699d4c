// thalweg topics produce: writes records.

#include <algorithm>

#include <CLI/CLI.hpp>

#include <thalweg/runtime/json_text.h>

#include "context.h"
#include "exit_codes.h"
#include "input_lines.h"
#include "json_fields.h"
#include "numbers.h"
#include "server.h"
#include "topics.h"

namespace thalweg::cli {
namespace {

constexpr std::size_t kBatchRecords = 500;
constexpr std::size_t kBatchBytes = 512u << 10;

struct ProduceArguments {
  std::string topic;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::string separator;
  std::vector<std::string> headers;
  std::optional<std::int64_t> partition;
  std::string idempotency_key;
  bool ndjson = false;
  bool tombstone = false;
};

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= group.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

/// `"name":"text"`; bytes that are no text as base64, so that they are written as they are.
std::string text_member(const std::string& name, const std::string& text) {
  if (!is_utf8(text)) {
    return '"' + name + R"(":")" + base64(text) + R"(",")" + name + R"(_encoding":"base64")";
  }
  std::string out = '"' + name + R"(":)";
  append_json_string(text, out);
  return out;
}

/// A value as it is written on a command line: JSON as such, anything else as text.
std::string value_member(std::string text) {
  if (!parse_json(text)) return text_member("value", text);
  std::ranges::replace(text, '\n', ' ');  // Between its parts; a record is one line.
  return R"("value":)" + text;
}

std::string headers_json(const std::vector<std::string>& headers) {
  std::string out = "[";
  for (const auto& header : headers) {
    const auto equals = header.find('=');
    if (equals == header.npos || equals == 0 || !is_utf8(header.substr(0, equals))) {
      throw CommandError(kUsage, "--header " + header + " is not of the form NAME=VALUE");
    }
    if (out.size() > 1) out += ',';
    out += '{' + text_member("key", header.substr(0, equals)) + ',';
    out += text_member("value", header.substr(equals + 1)) + '}';
  }
  return out + ']';
}

/// Writes records down as the application reads them.
class RecordWriter {
 public:
  explicit RecordWriter(const ProduceArguments& given) : given_(given) {
    if (given.partition) rest_ += R"(,"partition":)" + std::to_string(*given.partition);
    if (!given.headers.empty()) rest_ += R"(,"headers":)" + headers_json(given.headers);
  }

  std::string tombstone() const { return record(given_.key, R"("value":null)"); }
  std::string record_of(const std::string& value) const {
    return record(given_.key, value_member(value));
  }
  /// Throws CommandError for a line that is no record.
  std::string record_of_line(std::string line) const {
    if (given_.ndjson) return line;
    if (given_.separator.empty()) return record_of(line);
    const auto at = line.find(given_.separator);
    if (at == line.npos) {
      throw CommandError(kBadData, "no separator '" + given_.separator + "' in the line: " + line);
    }
    return record(line.substr(0, at), value_member(line.substr(at + given_.separator.size())));
  }

 private:
  std::string record(const std::optional<std::string>& key, const std::string& value) const {
    return '{' + value + (key ? ',' + text_member("key", *key) : "") + rest_ + '}';
  }

  const ProduceArguments& given_;
  std::string rest_;
};

/// Collects records and writes them together. Failures tell how far it came, in lines of the input.
class Producer {
 public:
  Producer(Context& context, const ProduceArguments& given) : context_(context), given_(given) {}

  /// `line` is 0 for a record that is none of a line.
  void add(const std::string& record, std::size_t line) {
    // Two may each be small enough for the application, and not both together.
    if (body_.size() + record.size() >= kBatchBytes) send();
    body_ += record + '\n';
    lines_.push_back(line);
    if (lines_.size() == kBatchRecords) send();
  }

  void send() {
    if (lines_.empty()) return;
    std::string key = given_.idempotency_key;
    if (!key.empty() && batch_ > 0) key += '-' + std::to_string(batch_);
    ++batch_;
    const auto reply = post(std::move(key));
    written_ += lines_.size();
    lines_.clear();
    const auto answer = parse_json(reply.body);
    if (!answer) return;
    for (const auto& place : array_of(*answer, "items")) show(place);
  }

  /// What is written of the input when it ends before that line.
  std::string written_before(std::size_t line) const {
    if (written_ == 0) return "nothing was written";
    return std::to_string(written_) + (written_ == 1 ? " record was" : " records were") +
           " written, up to line " + std::to_string(line - 1);
  }

 private:
  OutsideReply post(std::string key) {
    try {
      return context_.server().post(Target({"v1", "topics", given_.topic, "records"}),
                                    std::exchange(body_, {}), "application/x-ndjson",
                                    std::move(key));
    } catch (const CommandError& error) {
      if (lines_.front() == 0) throw;
      throw in_lines(error);
    }
  }

  /// The application counts within what was sent at once, and knows of nothing before.
  CommandError in_lines(const CommandError& error) const {
    std::string message = error.what();
    const bool refused = error.code() == kBadData;
    const bool partly = message.ends_with("others may have been");
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const auto record =
          "record " + std::to_string(i + 1) + " of " + std::to_string(lines_.size());
      if (!message.starts_with(record)) continue;
      message.replace(0, record.size(), "line " + std::to_string(lines_[i]));
      break;
    }
    if (refused && lines_.size() == 1 && !message.starts_with("line ")) {
      message.insert(0, "line " + std::to_string(lines_[0]) + ": ");
    }
    std::string hint = error.hint() == "nothing was written" ? "" : error.hint();
    if (written_ == 0 && (!refused || partly || !hint.empty())) {
      return {error.code(), message, hint};
    }
    std::string progress = written_before(lines_.front());
    const bool unknown = partly || error.code() == kUnavailable || error.code() == kFailed;
    if (unknown) {
      progress += "; of lines " + std::to_string(lines_.front()) + " to " +
                  std::to_string(lines_.back()) + " some may have been";
    }
    return {error.code(), message, progress + (hint.empty() ? "" : "; ") + hint};
  }

  void show(const boost::json::value& place) const {
    if (context_.style.json) return print_json(place);
    print(text_of(place, "topic") + ' ' + std::to_string(number_of(place, "partition")) + ':' +
          std::to_string(number_of(place, "offset")) + '\n');
  }

  Context& context_;
  const ProduceArguments& given_;
  std::string body_;
  std::vector<std::size_t> lines_;  ///< Of the records in `body_`.
  std::size_t batch_ = 0;
  std::size_t written_ = 0;
};

void produce_lines(const ProduceArguments& given, const RecordWriter& writer, Producer& producer) {
  // Batches with an idempotency key must be the same when the call is repeated, however fast its
  // input comes then.
  InputLines lines([&] {
    if (given.idempotency_key.empty()) producer.send();
  });
  for (std::string line; lines.next(line);) {
    // Blank ones are no records, nor does the application count them.
    if (line.empty() || (given.ndjson && line.find_first_not_of(" \t\r") == line.npos)) continue;
    std::string record;
    try {
      record = writer.record_of_line(line);
    } catch (const CommandError& error) {
      producer.send();
      throw CommandError(error.code(),
                         "line " + std::to_string(lines.number()) + ": " + error.what(),
                         producer.written_before(lines.number()));
    }
    producer.add(record, lines.number());
  }
}

int produce(Context& context, const ProduceArguments& given) {
  const RecordWriter writer(given);
  Producer producer(context, given);
  if (given.tombstone) {
    producer.add(writer.tombstone(), 0);
  } else if (given.value) {
    producer.add(writer.record_of(*given.value), 0);
  } else {
    produce_lines(given, writer, producer);
  }
  producer.send();
  return kDone;
}

}  // namespace

void add_produce(CLI::App& topics, Context& context) {
  const auto given = std::make_shared<ProduceArguments>();
  auto* app =
      topics.add_subcommand("produce", "Write records: one, or each line of standard input");
  app->add_option("TOPIC", given->topic, "Where to")->required();
  auto* key = app->add_option("-k,--key", given->key, "The key; without one, any partition");
  auto* value = app->add_option("-v,--value", given->value,
                                "The value: JSON, or text when it is none; else standard input");
  auto* tombstone = app->add_flag("--tombstone", given->tombstone, "Delete the key");
  tombstone->needs(key)->excludes(value);
  auto* separator =
      app->add_option("-K,--key-separator", given->separator, "Lines are KEY, this, and VALUE");
  auto* ndjson = app->add_flag("--ndjson", given->ndjson,
                               "Lines are objects with key, value, headers, timestamp, partition");
  separator->excludes(value)->excludes(key)->excludes(ndjson);
  ndjson->excludes(value)->excludes(key);
  app->add_option("-H,--header", given->headers, "A header as NAME=VALUE; may be repeated")
      ->allow_extra_args(false)
      ->excludes(ndjson);
  app->add_option("-p,--partition", given->partition, "Instead of the one that the key belongs to")
      ->check(whole_number(0))
      ->excludes(ndjson);
  app->add_option("--idempotency-key", given->idempotency_key,
                  "The same call with the same key writes nothing twice");
  app->footer(
      "Prints where each record is. Values become bytes by the topic's schema; what is not UTF-8 "
      "is "
      "written\nas it is. Lines are written as they come; with --idempotency-key, 500 at a time.");
  app->callback(
      [&context, given] { context.run = [&context, given] { return produce(context, *given); }; });
}

}  // namespace thalweg::cli
