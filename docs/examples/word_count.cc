#include <iostream>
#include <sstream>
#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/local_environment.h>
#include <thalweg/topology/streams_builder.h>

using namespace thalweg;

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

void print(const std::string& word, const std::optional<std::int64_t>& count) {
  std::cout << word << ' ' << count.value_or(0) << std::endl;
}

int main() {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("lines")
      .flat_map_values(words_of)
      .group_by([](const std::string&, const std::string& word) { return word; })
      .count({.store = "counts"})
      .to_stream()
      .for_each(print);

  const auto config = StreamsConfigBuilder().set("application.id", "word-count", "here").build();
  const auto local = LocalEnvironment::open(config).value();
  StreamsApplication application(builder.build(), config, local->environment());
  application.start().value();

  AsyncProducer lines(local->log(), "standard-input");
  for (std::string line; std::getline(std::cin, line);) {
    lines.send("lines", "key", line, system_clock().wall_clock(), {}, [](auto) {});
  }
}
