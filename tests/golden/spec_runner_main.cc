// Runs specs, one JSON object a line, and prints one result a line: the other half of a
// differential test against another interpreter of the same language.

#include <iostream>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <spdlog/spdlog.h>

#include "golden/spec_runner.h"

int main() {
  spdlog::set_level(spdlog::level::off);  // Standard output is for results alone.
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.empty()) continue;
    std::cout << boost::json::serialize(thalweg::golden::run_spec(boost::json::parse(line)))
              << std::endl;
  }
}
