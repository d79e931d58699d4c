// Counts words of sentences that are FlatBuffers tables, in the test driver: no log, no threads.
#include <cstdint>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/topology/streams_builder.h>

#include "sentence_generated.h"

namespace {

std::vector<std::string> words_of(const consumer::SentenceT& sentence) {
  std::istringstream in(sentence.text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

thalweg::Topology word_count() {
  thalweg::StreamsBuilder builder;
  builder.stream<std::string, consumer::SentenceT>("sentences")
      .flat_map_values(words_of)
      .group_by([](const std::string&, const std::string& word) { return word; })
      .count({.store = "counts"})
      .to_stream()
      .to("word-counts");
  return builder.build();
}

consumer::SentenceT sentence(std::string text) {
  consumer::SentenceT made;
  made.text = std::move(text);
  return made;
}

}  // namespace

int main() {
  thalweg::TopologyTestDriver driver(word_count());
  auto sentences = driver.create_input_topic<std::string, consumer::SentenceT>("sentences");
  auto counts = driver.create_output_topic<std::string, std::int64_t>("word-counts");

  sentences.pipe("a", sentence("the river and the sea"));
  sentences.pipe("b", sentence("the thalweg"));

  std::map<std::string, std::int64_t> latest;
  for (const auto& [word, count] : counts.read_key_values()) latest[word] = count;
  const std::map<std::string, std::int64_t> expected = {
      {"and", 1}, {"river", 1}, {"sea", 1}, {"thalweg", 1}, {"the", 3}};
  for (const auto& [word, count] : latest) std::cout << word << ' ' << count << '\n';
  return latest == expected ? 0 : 1;
}
