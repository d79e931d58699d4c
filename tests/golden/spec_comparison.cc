#include "golden/spec_comparison.h"

#include <algorithm>
#include <map>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "golden/spec_functions.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

using Lines = std::vector<std::string>;

std::string text(const json::object& object, const char* name) {
  const auto* found = object.if_contains(name);
  return found && !found->is_null() ? json::serialize(*found) : "-";
}

const json::value& part(const json::object& result, const char* name) {
  static const json::value kNull;
  const auto* found = result.if_contains(name);
  return found ? *found : kNull;
}

std::string shortened(const std::string& line) {
  constexpr std::size_t kShown = 240;
  return line.size() <= kShown ? line : line.substr(0, kShown) + "...";
}

/// Where two lists of lines part; empty: nowhere.
std::string parting(const Lines& recorded, const Lines& came) {
  const auto [a, b] = std::ranges::mismatch(recorded, came);
  if (a == recorded.end() && b == came.end()) return {};
  const auto shown = [](const auto& at, const Lines& lines) {
    return at == lines.end() ? std::string("nothing") : shortened(*at);
  };
  std::string where = "line ";
  where += std::to_string(a - recorded.begin());
  return where + ": recorded " + shown(a, recorded) + ", came " + shown(b, came);
}

// --- Sections as lines ------------------------------------------------------------------------

std::string output_line(const json::object& record) {
  return text(record, "topic") + " i=" + text(record, "i") + " key=" + text(record, "key") +
         " value=" + text(record, "value") + " ts=" + text(record, "ts") +
         " p=" + text(record, "partition") + " headers=" + text(record, "headers");
}

Lines outputs(const json::object& result, bool by_topic) {
  Lines lines;
  if (const auto& records = part(result, "outputs"); records.is_array()) {
    for (const auto& record : records.as_array()) lines.push_back(output_line(record.as_object()));
  }
  const auto topic = [](const std::string& line) { return line.substr(0, line.find(" i=")); };
  if (by_topic) std::ranges::stable_sort(lines, {}, topic);
  return lines;
}

bool is_changelog(std::string_view topic) { return topic.ends_with("-changelog"); }

Lines internal(const json::object& result, bool changelogs, bool by_key) {
  Lines lines;
  const auto& topics = part(result, "internal");
  if (!topics.is_object()) return lines;
  std::map<std::string, const json::array*> sorted;
  for (const auto& [topic, records] : topics.as_object()) sorted[topic] = &records.as_array();
  for (const auto& [topic, records] : sorted) {
    if (is_changelog(topic) != changelogs) continue;
    std::vector<std::pair<std::string, std::string>> shown;  // Key, line.
    for (const auto& value : *records) {
      const json::object& record = value.as_object();
      const std::string key = text(record, "k");
      shown.emplace_back(key, topic + " i=" + text(record, "i") + " k=" + key +
                                  " v=" + text(record, "v") + " ts=" + text(record, "ts") +
                                  " p=" + text(record, "p") + " h=" + text(record, "h"));
    }
    if (by_key) std::ranges::stable_sort(shown, {}, &std::pair<std::string, std::string>::first);
    for (auto& [key, line] : shown) lines.push_back(std::move(line));
  }
  return lines;
}

/// An object, a line for each member, sorted; members of a list of entries one by one.
Lines members(const json::value& value) {
  Lines lines;
  if (!value.is_object()) return {json::serialize(value)};
  std::map<std::string, const json::value*> sorted;
  for (const auto& [name, member] : value.as_object()) sorted[name] = &member;
  for (const auto& [name, member] : sorted) {
    if (!member->is_object()) {
      lines.push_back(name + " " + json::serialize(*member));
      continue;
    }
    for (const std::string& line : members(*member)) lines.push_back(name + " " + line);
  }
  return lines;
}

// --- describe() -------------------------------------------------------------------------------

Lines split(std::string_view text, std::string_view separator) {
  Lines parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

std::string trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == line.npos) return {};
  return std::string(line.substr(begin, line.find_last_not_of(' ') + 1 - begin));
}

std::string sorted_list(std::string_view list) {
  Lines items = split(list, ",");
  for (std::string& item : items) item = trimmed(item);
  std::ranges::sort(items);
  std::string joined;
  for (const std::string& item : items) joined += (joined.empty() ? "" : ", ") + item;
  return joined;
}

/// One line of describe(), its list of arrows, topics or stores sorted.
std::string sorted_line(const std::string& line) {
  if (line.starts_with("-->") || line.starts_with("<--")) {
    return line.substr(0, 3) + " " + sorted_list(std::string_view(line).substr(3));
  }
  const std::size_t open = line.find('[');
  const std::size_t close = line.rfind(']');
  if (open == line.npos || close == line.npos) return line;
  return line.substr(0, open + 1) +
         sorted_list(std::string_view(line).substr(open + 1, close - open - 1)) +
         line.substr(close);
}

/// describe() with the nodes of each sub-topology and all lists sorted.
Lines structure(const json::value& description) {
  if (!description.is_string()) return {json::serialize(description)};
  Lines all;
  Lines nodes;
  const auto end_subtopology = [&] {
    std::ranges::sort(nodes);
    all.insert(all.end(), nodes.begin(), nodes.end());
    nodes.clear();
  };
  for (const std::string& raw : split(std::string_view(description.as_string()), "\n")) {
    const std::string line = trimmed(raw);
    if (line.empty()) continue;
    if (line.starts_with("Sub-topology") || line.starts_with("Topologies")) {
      end_subtopology();
      all.push_back(line);
    } else if (line.starts_with("-->") || line.starts_with("<--")) {
      nodes.back() += " " + sorted_line(line);
    } else {
      nodes.push_back(sorted_line(line));
    }
  }
  end_subtopology();
  return all;
}

std::string error_line(const json::object& result) {
  const auto& error = part(result, "error");
  if (!error.is_object()) return "none";
  const json::object& fields = error.as_object();
  return text(fields, "phase") + " " + text(fields, "class") + " step " + text(fields, "step");
}

std::string message_of(const json::object& result) {
  const auto& error = part(result, "error");
  return error.is_object() ? text(error.as_object(), "message") : "";
}

}  // namespace

std::string not_built(const json::object& result) {
  constexpr std::string_view kMark = "not built: ";
  const auto& error = part(result, "error");
  if (!error.is_object()) return {};
  const auto* message = error.as_object().if_contains("message");
  if (!message || !message->is_string()) return {};
  const std::string_view said = message->as_string();
  return said.starts_with(kMark) ? std::string(said.substr(kMark.size())) : std::string();
}

std::vector<Difference> compare(const json::object& recorded, const json::object& result) {
  std::vector<Difference> differences;
  const auto section = [&](std::string name, const Lines& a, const Lines& b) {
    if (std::string where = parting(a, b); !where.empty()) {
      differences.push_back({std::move(name), std::move(where)});
      return false;
    }
    return true;
  };

  if (!section("error", {error_line(recorded)}, {error_line(result)})) {
    differences.back().where += " " + message_of(recorded) + " / " + message_of(result);
    return differences;
  }
  const auto cause = [](const json::object& one) {
    const auto& error = part(one, "error");
    return error.is_object() ? text(error.as_object(), "cause") : std::string("none");
  };
  section("cause", {cause(recorded)}, {cause(result)});
  if (section("outputs", outputs(recorded, true), outputs(result, true))) {
    section("order", outputs(recorded, false), outputs(result, false));
  }
  section("repart", internal(recorded, false, false), internal(result, false, false));
  if (section("changelog", internal(recorded, true, true), internal(result, true, true))) {
    section("clorder", internal(recorded, true, false), internal(result, true, false));
  }
  section("stores", members(part(recorded, "stores")), members(part(result, "stores")));
  section("metrics", members(part(recorded, "metrics")), members(part(result, "metrics")));
  if (section("structure", structure(part(recorded, "describe")),
              structure(part(result, "describe")))) {
    section("describe", members(part(recorded, "describe")), members(part(result, "describe")));
  }
  return differences;
}

}  // namespace thalweg::golden
