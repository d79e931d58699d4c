// thalweg topics tail: the records of a topic, whatever their schema, as JSON.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <map>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "not_empty.h"
#include "numbers.h"
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
  std::optional<std::string> key;
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

/// Waits; then whether nobody reads standard output any more (`| head`), which no write would tell
/// while there is nothing to write.
bool reader_left(std::chrono::milliseconds wait) {
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  ::poll(&output, 1, static_cast<int>(wait.count()));
  return (output.revents & POLLERR) != 0;
}

class Tail {
 public:
  Tail(Context& context, const TailArguments& given)
      : context_(context),
        given_(given),
        left_(given.count.value_or(static_cast<std::size_t>(-1))) {}

  int run() {
    begin();
    while (left_ > 0) {
      const bool went_on = read_on();
      if (!went_on && !given_.follow) break;
      // Ends as a write to it would end.
      if (reader_left(went_on ? std::chrono::milliseconds{0} : kPause)) {
        std::raise(SIGPIPE);
        return kDone;
      }
    }
    if (shown_ > 0 || given_.follow) return kDone;
    remark("no records there");
    return kNotThere;
  }

 private:
  using Records = std::vector<boost::json::value>;

  /// Shows where reading begins: the first page of each partition.
  void begin() {
    Target target = of_topic();
    if (given_.partition) target.with("partition", std::to_string(*given_.partition));
    const auto partitions = context_.server().get_json(target.with("limit", "1"));
    const auto* ends = member(partitions, "end").if_object();
    if (!ends) return;
    const bool newest = !given_.beginning && !given_.timestamp && !given_.offset;
    Records records;
    for (const auto& [name, end] : *ends) {
      auto found =
          newest ? newest_of(std::stoi(std::string(name)), end.get_int64()) : first_page(name);
      std::ranges::move(found, std::back_inserter(records));
    }
    show_all(std::move(records), newest ? given_.newest : static_cast<std::size_t>(-1));
  }

  Records first_page(std::string_view partition) {
    Target target = of_topic().with("partition", partition);
    if (given_.timestamp) target.with("timestamp", std::to_string(*given_.timestamp));
    if (given_.offset) target.with("offset", std::to_string(*given_.offset));
    const auto page = context_.server().get_json(target.with("limit", std::to_string(kPage)));
    take_offsets(page);
    const auto& items = array_of(page, "items");
    return {items.begin(), items.end()};
  }

  /// The newest records that are wanted, in the order of their offsets. Looks further and further
  /// back until there are enough: offsets have gaps, and other keys may have filled all the end.
  Records newest_of(std::int32_t partition, std::int64_t end) {
    Records found;
    Place reached{.next = end, .end = end};
    auto span = static_cast<std::int64_t>(given_.key ? kPage : given_.newest);
    std::int64_t begin = 0;  // Asked for when it matters.
    for (auto from = end; from > begin && found.size() < given_.newest; span *= 2) {
      const auto to = std::exchange(from, std::max(begin, from - span));
      auto [older, next] = wanted_between(partition, from, to);
      std::ranges::move(found, std::back_inserter(older));
      found = std::move(older);
      if (to < end) continue;
      reached.next = next;
      if (found.size() < given_.newest) begin = first_offset(partition);
    }
    places_[partition] = reached;
    return found;
  }

  /// Where the oldest record is; what is before has been deleted.
  std::int64_t first_offset(std::int32_t partition) {
    const auto page = context_.server().get_json(page_at(partition, 0, 1));
    const auto& items = array_of(page, "items");
    if (!items.empty()) return number_of(items.front(), "offset");
    return number_of(member(page, "next"), std::to_string(partition));
  }

  /// The newest wanted ones from `from` to `to`, exclusive; and where reading on would begin.
  std::pair<Records, std::int64_t> wanted_between(std::int32_t partition, std::int64_t from,
                                                  std::int64_t to) {
    Records found;
    auto next = from;
    while (next < to) {
      const auto page = context_.server().get_json(page_at(partition, next, kPage));
      for (const auto& record : array_of(page, "items")) {
        if (number_of(record, "offset") < to && is_wanted(record)) found.push_back(record);
      }
      const auto excess = found.size() - std::min(found.size(), given_.newest);
      found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(excess));
      const auto before =
          std::exchange(next, number_of(member(page, "next"), std::to_string(partition), to));
      if (next == before) break;  // Nothing there is readable yet.
    }
    return {std::move(found), std::min(next, to)};
  }

  Target page_at(std::int32_t partition, std::int64_t offset, std::size_t limit) const {
    Target target = of_topic();
    target.with("partition", std::to_string(partition));
    target.with("offset", std::to_string(offset));
    return target.with("limit", std::to_string(limit));
  }

  /// The next page of each partition that has more; whether there was any.
  bool read_on() {
    bool any = false;
    for (const auto& [partition, place] : std::map(places_)) {
      if (left_ == 0) return true;
      if (place.next >= place.end && !given_.follow) continue;
      const auto page = context_.server().get_json(page_at(partition, place.next, kPage));
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
  void show_all(Records records, std::size_t newest) {
    std::ranges::stable_sort(records, {}, [](const auto& r) { return number_of(r, "timestamp"); });
    std::erase_if(records, [this](const auto& record) { return !is_wanted(record); });
    const std::size_t skipped = records.size() - std::min(records.size(), newest);
    for (std::size_t i = skipped; i < records.size() && left_ > 0; ++i) show(records[i]);
  }

  bool is_wanted(const boost::json::value& record) const {
    if (!given_.key) return true;
    const auto& key = member(record, "key");
    if (key.is_string()) return std::string_view(key.get_string()) == *given_.key;
    return !key.is_null() && boost::json::serialize(key) == *given_.key;
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
  app->add_option("TOPIC", given->topic, "Its name, as `topics list` shows it")
      ->required()
      ->check(not_empty);
  app->add_flag("-f,--follow", given->follow, "Go on with what comes, until interrupted");
  auto* newest = app->add_option("-n,--newest", given->newest, "How many there are already")
                     ->check(whole_number(1, kPage))
                     ->capture_default_str();
  app->add_option("-c,--count", given->count, "End after so many records")->check(whole_number(1));
  app->add_option("-p,--partition", given->partition, "Of this partition only")
      ->check(whole_number(0));
  app->add_option_function<std::string>(
      "--key", [given](const std::string& key) { given->key = key; },
      "Only records with this key, however far back");
  auto* beginning = app->add_flag("-b,--from-beginning", given->beginning, "From the oldest on");
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  auto* offset = app->add_option("--offset", given->offset,
                                 "From this offset on; below 0: so many before the end")
                     ->check(whole_number(kLeast).description(""));
  auto* time =
      app->add_option("--since", given->timestamp, "From this time on (milliseconds since 1970)")
          ->check(whole_number(0).description(""));
  beginning->excludes(offset)->excludes(time)->excludes(newest);
  offset->excludes(time)->excludes(newest);
  time->excludes(newest);
  app->footer("With --json, one object a line, as `topics produce --ndjson` takes it.");
  app->callback([&context, given] {
    context.run = [&context, given] { return Tail(context, *given).run(); };
  });
}

}  // namespace thalweg::cli
