#include "golden/recordings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include <boost/json/parse.hpp>

namespace thalweg::golden {

namespace json = boost::json;

namespace {

const std::filesystem::path kCases = THALWEG_GOLDEN_CASES;
const std::filesystem::path kUnpacked = THALWEG_GOLDEN_RECORDINGS;

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return (std::ostringstream() << file.rdbuf()).str();
}

std::vector<json::object> lines(const std::filesystem::path& path) {
  std::vector<json::object> objects;
  std::istringstream text(contents(path));
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) objects.push_back(json::parse(line).as_object());
  }
  return objects;
}

std::vector<json::object> cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kCases)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<json::object> specs;
  for (const auto& file : files) specs.push_back(json::parse(contents(file)).as_object());
  return specs;
}

}  // namespace

std::vector<Recording> recordings(const std::string& name) {
  auto specs = name == "cases" ? cases() : lines(kUnpacked / (name + ".specs.jsonl"));
  std::map<json::string, json::object> results;
  for (json::object& result : lines(kUnpacked / (name + ".results.jsonl"))) {
    json::string id = result.at("id").as_string();
    results.emplace(std::move(id), std::move(result));
  }
  std::vector<Recording> recorded;
  for (json::object& spec : specs) {
    json::object& result = results.at(spec.at("id").as_string());
    recorded.push_back({std::move(spec), std::move(result)});
  }
  return recorded;
}

std::vector<std::string> recording_names() {
  return {"cases", "by_hand", "stateless", "tables", "windows",
          "joins", "suppress",  "process", "mixed"};
}

}  // namespace thalweg::golden
