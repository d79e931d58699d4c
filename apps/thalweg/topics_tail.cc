// thalweg topics tail: the records of a topic, whatever their schema, as JSON.

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "server.h"
#include "topics.h"

namespace thalweg::cli {
namespace {

constexpr std::size_t kPage = 1000;
/// Between two looks at a topic that has nothing new.
constexpr std::chrono::milliseconds kPause{250};

struct TailArguments {
  std::string topic;
  std::optional<std::int64_t> partition;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> timestamp;
  std::string key;
  bool beginning = false;
  bool follow = false;
  std::size_t newest = 10;
  std::optional<std::size_t> count;
};

/// Where reading stands: the next offset of each partition, and where that ended when last seen.
struct Place {
  std::int64_t next = 0;
  std::int64_t end = 0;
};

class Tail {
 public:
  Tail(Context& context, const TailArguments& given)
      : context_(context),
        given_(given),
        left_(given.count.value_or(static_cast<std::size_t>(-1))) {}

  int run() {
    begin();
    while (left_ > 0) {
      if (read_on()) continue;
      if (!given_.follow) break;
      std::this_thread::sleep_for(kPause);
    }
    if (shown_ > 0 || given_.follow) return kDone;
    remark("no records there");
    return kNotThere;
  }

 private:
  /// Shows where reading begins: the first page of each partition.
  void begin() {
    Target target = of_topic();
    if (given_.partition) target.with("partition", std::to_string(*given_.partition));
    const auto partitions = context_.server().get_json(target.with("limit", "1"));
    const auto* ends = member(partitions, "end").if_object();
    if (!ends) return;
    const bool newest = !given_.beginning && !given_.timestamp && !given_.offset;
    std::vector<boost::json::value> records;
    for (const auto& [partition, end] : *ends) {
      const auto page = context_.server().get_json(first_page(partition, newest));
      take_offsets(page);
      const auto& items = array_of(page, "items");
      records.insert(records.end(), items.begin(), items.end());
    }
    show_all(std::move(records), newest ? given_.newest : static_cast<std::size_t>(-1));
  }

  Target first_page(std::string_view partition, bool newest) const {
    Target target = of_topic().with("partition", partition);
    if (given_.timestamp) target.with("timestamp", std::to_string(*given_.timestamp));
    if (given_.offset) target.with("offset", std::to_string(*given_.offset));
    if (newest) target.with("offset", "-" + std::to_string(given_.newest));
    return target.with("limit", std::to_string(newest ? given_.newest : kPage));
  }

  /// The next page of each partition that has more; whether there was any.
  bool read_on() {
    bool any = false;
    for (const auto& [partition, place] : std::map(places_)) {
      if (left_ == 0) return true;
      if (place.next >= place.end && !given_.follow) continue;
      Target target = of_topic();
      target.with("partition", std::to_string(partition));
      target.with("offset", std::to_string(place.next));
      target.with("limit", std::to_string(kPage));
      const auto page = context_.server().get_json(target);
      any = take_offsets(page) || any;
      const auto& items = array_of(page, "items");
      show_all({items.begin(), items.end()}, items.size());
    }
    return any;
  }

  Target of_topic() const { return Target({"v1", "topics", given_.topic, "records"}); }

  /// Notes how far the page goes; whether it went on.
  bool take_offsets(const boost::json::value& page) {
    bool moved = false;
    const auto each = [&](std::string_view name, auto note) {
      const auto* offsets = member(page, name).if_object();
      if (!offsets) return;
      for (const auto& [partition, offset] : *offsets) {
        note(places_[std::stoi(std::string(partition))], offset.get_int64());
      }
    };
    each("next", [&](Place& place, std::int64_t next) {
      moved = moved || next != place.next;
      place.next = next;
    });
    each("end", [](Place& place, std::int64_t end) { place.end = end; });
    return moved;
  }

  /// In the order of their time; of more than `newest` the oldest are left out.
  void show_all(std::vector<boost::json::value> records, std::size_t newest) {
    std::ranges::stable_sort(records, {}, [](const auto& r) { return number_of(r, "timestamp"); });
    std::erase_if(records, [this](const auto& record) { return !is_wanted(record); });
    const std::size_t skipped = records.size() - std::min(records.size(), newest);
    for (std::size_t i = skipped; i < records.size() && left_ > 0; ++i) show(records[i]);
  }

  bool is_wanted(const boost::json::value& record) const {
    return given_.key.empty() || cell(member(record, "key")) == given_.key;
  }

  void show(const boost::json::value& record) {
    --left_;
    ++shown_;
    if (context_.style.json) return print_json(record);
    std::string line = std::to_string(number_of(record, "partition"));
    line += ':' + std::to_string(number_of(record, "offset"));
    line += "  " + time_cell(number_of(record, "timestamp", -1));
    line += "  " + cell(member(record, "key")) + "  " + cell(member(record, "value")) + '\n';
    print(line);
  }

  Context& context_;
  const TailArguments& given_;
  std::map<std::int32_t, Place> places_;
  std::size_t left_;
  std::size_t shown_ = 0;
};

}  // namespace

void add_tail(CLI::App& topics, Context& context) {
  const auto given = std::make_shared<TailArguments>();
  auto* app = topics.add_subcommand(
      "tail", "Records of a topic, the newest 10 unless asked otherwise, and those to come");
  app->add_option("TOPIC", given->topic, "Its name, as `topics list` shows it")->required();
  app->add_flag("-f,--follow", given->follow, "Go on with what comes, until interrupted");
  auto* newest = app->add_option("-n,--newest", given->newest, "How many there are already")
                     ->check(CLI::Range(1, static_cast<int>(kPage)))
                     ->capture_default_str();
  app->add_option("-c,--count", given->count, "End after so many records")
      ->check(CLI::PositiveNumber);
  app->add_option("-p,--partition", given->partition, "Of this partition only")
      ->check(CLI::NonNegativeNumber);
  app->add_option("--key", given->key, "Only records with this key");
  auto* beginning = app->add_flag("-b,--from-beginning", given->beginning, "From the oldest on");
  auto* offset = app->add_option("--offset", given->offset,
                                 "From this offset on; below 0: so many before the end");
  auto* time =
      app->add_option("--since", given->timestamp, "From this time on (milliseconds since 1970)");
  beginning->excludes(offset)->excludes(time)->excludes(newest);
  offset->excludes(time)->excludes(newest);
  time->excludes(newest);
  app->footer("With --json, one object a line, as `topics produce --ndjson` takes it.");
  app->callback([&context, given] {
    context.run = [&context, given] { return Tail(context, *given).run(); };
  });
}

}  // namespace thalweg::cli
