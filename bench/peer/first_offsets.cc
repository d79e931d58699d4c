#include "peer/first_offsets.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace thalweg::bench {
namespace {

void expect(LogProducer& producer, ProducerEvent::Kind kind) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  ProducerEvent event;
  while (!producer.poll(event)) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the log is silent");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (event.kind != kind) throw std::runtime_error("first offsets: " + event.error.message);
}

}  // namespace

void commit_first_offsets(Log& log, const std::string& application_id, const std::string& topic) {
  const auto spec = log.topic(topic);
  if (!spec) throw std::runtime_error(spec.error().message);
  std::map<TopicPartition, OffsetAndMetadata> offsets;
  for (std::int32_t partition = 0; partition < spec->partitions; ++partition) {
    offsets[{topic, partition}] = {.offset = 0, .metadata = {}};
  }
  const auto producer = log.producer({.transactional_id = application_id + "-first-offsets"});
  producer->init();
  expect(*producer, ProducerEvent::Kind::kReady);
  producer->begin();
  producer->send_offsets(offsets, {.group = application_id});
  expect(*producer, ProducerEvent::Kind::kOffsetsSent);
  producer->commit();
  expect(*producer, ProducerEvent::Kind::kCommitted);
}

}  // namespace thalweg::bench
