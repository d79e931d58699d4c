// thalweg topics produce: writes records.

#include <iostream>

#include <CLI/CLI.hpp>

#include <thalweg/runtime/json_text.h>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
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

/// A value as it is written on a command line: JSON as such, anything else as text.
std::string as_json(const std::string& text) {
  if (parse_json(text)) return text;
  std::string out;
  append_json_string(text, out);
  return out;
}

std::string as_json_text(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

std::string headers_json(const std::vector<std::string>& headers) {
  std::string out = "[";
  for (const auto& header : headers) {
    const auto equals = header.find('=');
    if (equals == header.npos || equals == 0) {
      throw CommandError(kUsage, "--header " + header + " is not of the form NAME=VALUE");
    }
    if (out.size() > 1) out += ',';
    out += R"({"key":)" + as_json_text(header.substr(0, equals));
    out += R"(,"value":)" + as_json_text(header.substr(equals + 1)) + '}';
  }
  return out + ']';
}

std::string record_json(const ProduceArguments& given, const std::optional<std::string>& key,
                        const std::string& value) {
  std::string out = R"({"value":)" + value;
  if (key) out += R"(,"key":)" + as_json_text(*key);
  if (given.partition) out += R"(,"partition":)" + std::to_string(*given.partition);
  if (!given.headers.empty()) out += R"(,"headers":)" + headers_json(given.headers);
  return out + '}';
}

std::string record_of_line(const ProduceArguments& given, std::string line) {
  if (given.ndjson) return line;
  auto key = given.key;
  if (!given.separator.empty()) {
    const auto at = line.find(given.separator);
    if (at == line.npos) {
      throw CommandError(kBadData, "no separator '" + given.separator + "' in the line: " + line,
                         "nothing of it and what follows was written");
    }
    key = line.substr(0, at);
    line.erase(0, at + given.separator.size());
  }
  return record_json(given, key, as_json(line));
}

/// Collects records and writes them together.
class Producer {
 public:
  Producer(Context& context, const ProduceArguments& given) : context_(context), given_(given) {}

  void add(const std::string& record) {
    body_ += record + '\n';
    if (++waiting_ == kBatchRecords || body_.size() > kBatchBytes) send();
  }

  void send() {
    if (waiting_ == 0) return;
    std::string key = given_.idempotency_key;
    if (!key.empty() && batch_ > 0) key += '-' + std::to_string(batch_);
    ++batch_;
    const auto reply =
        context_.server().post(Target({"v1", "topics", given_.topic, "records"}),
                               std::exchange(body_, {}), "application/x-ndjson", std::move(key));
    waiting_ = 0;
    const auto answer = parse_json(reply.body);
    if (!answer) return;
    for (const auto& place : array_of(*answer, "items")) show(place);
  }

 private:
  void show(const boost::json::value& place) const {
    if (context_.style.json) return print_json(place);
    print(text_of(place, "topic") + ' ' + std::to_string(number_of(place, "partition")) + ':' +
          std::to_string(number_of(place, "offset")) + '\n');
  }

  Context& context_;
  const ProduceArguments& given_;
  std::string body_;
  std::size_t waiting_ = 0;
  std::size_t batch_ = 0;
};

int produce(Context& context, const ProduceArguments& given) {
  Producer producer(context, given);
  if (given.tombstone) {
    producer.add(record_json(given, given.key, "null"));
  } else if (given.value) {
    producer.add(record_json(given, given.key, as_json(*given.value)));
  } else {
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty()) producer.add(record_of_line(given, std::move(line)));
    }
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
      ->check(CLI::NonNegativeNumber)
      ->excludes(ndjson);
  app->add_option("--idempotency-key", given->idempotency_key,
                  "The same call with the same key writes nothing twice");
  app->footer("Prints where each record is. Values become bytes by the topic's schema.");
  app->callback(
      [&context, given] { context.run = [&context, given] { return produce(context, *given); }; });
}

}  // namespace thalweg::cli
