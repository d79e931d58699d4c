#include "wire_format_log.h"

#include <deque>
#include <unordered_set>
#include <utility>

#include <thalweg/runtime/log_decorator.h>
#include <thalweg/schemas/headers.h>

#include "wire_format.h"

namespace thalweg::shop {
namespace {

/// What a batch's translated values lie in, and the memory of the others.
struct Translated {
  std::shared_ptr<const void> memory;
  std::deque<std::string> values;
};

void translate(RecordBatch& batch) {
  std::shared_ptr<Translated> translated;
  for (RecordView& record : batch.records) {
    if (!record.value || !is_message(*record.value)) continue;
    auto json = json_of(*record.value);
    if (!json) continue;
    if (!translated) translated = std::make_shared<Translated>();
    record.value = translated->values.emplace_back(std::move(*json));
  }
  if (!translated) return;
  translated->memory = std::move(batch.memory);
  batch.memory = std::move(translated);
}

class Consumer final : public LogConsumer {
 public:
  explicit Consumer(std::unique_ptr<LogConsumer> inner) : inner_(std::move(inner)) {}

  void assign(const TopicPartition& partition, Offset from, std::uint32_t tag) override {
    if (is_public(partition.topic)) {
      public_tags_.insert(tag);
    } else {
      public_tags_.erase(tag);
    }
    inner_->assign(partition, from, tag);
  }
  bool fetch(std::vector<RecordBatch>& into, std::size_t max_records) override {
    const std::size_t before = into.size();
    const bool found = inner_->fetch(into, max_records);
    for (std::size_t i = before; i < into.size(); ++i) {
      if (public_tags_.contains(into[i].tag)) translate(into[i]);
    }
    return found;
  }

  void subscribe(const std::vector<std::string>& topics) override { inner_->subscribe(topics); }
  void release(const std::vector<TopicPartition>& partitions) override {
    inner_->release(partitions);
  }
  GroupMetadata group_metadata() const override { return inner_->group_metadata(); }
  void leave() override { inner_->leave(); }
  void unassign(const TopicPartition& partition) override { inner_->unassign(partition); }
  void pause(const TopicPartition& partition) override { inner_->pause(partition); }
  void resume(const TopicPartition& partition) override { inner_->resume(partition); }
  void fetch_committed(const std::vector<TopicPartition>& partitions) override {
    inner_->fetch_committed(partitions);
  }
  void fetch_ends(const std::vector<TopicPartition>& partitions,
                  const std::map<TopicPartition, Timestamp>& since) override {
    inner_->fetch_ends(partitions, since);
  }
  bool poll(ConsumerEvent& event) override { return inner_->poll(event); }
  void set_wakeup(std::function<void()> wakeup) override { inner_->set_wakeup(std::move(wakeup)); }

 private:
  std::unique_ptr<LogConsumer> inner_;
  std::unordered_set<std::uint32_t> public_tags_;
};

class Producer final : public LogProducerDecorator {
 public:
  Producer(std::unique_ptr<LogProducer> inner, const std::set<std::string>& flatbuffers_topics)
      : LogProducerDecorator(std::move(inner)), flatbuffers_topics_(flatbuffers_topics) {}

  TopicHandle topic(std::string_view name) override {
    const TopicHandle handle = LogProducerDecorator::topic(name);
    if (flatbuffers_topics_.contains(std::string(name))) translated_.insert(handle);
    return handle;
  }
  Status send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
              std::optional<BytesView> value, Timestamp timestamp, BytesView headers) override {
    const bool translates = value && !translated_.empty() && translated_.contains(topic);
    const auto message = translates ? message_of(*value) : std::nullopt;
    if (!message) {
      return LogProducerDecorator::send(topic, partition, key, value, timestamp, headers);
    }
    Headers typed = Headers::decode(headers);
    typed.remove(kContentType);
    typed.add(std::string(kContentType), std::string(kFlatBuffersType));
    headers_.clear();
    typed.encode(headers_);
    return LogProducerDecorator::send(topic, partition, key, *message, timestamp, headers_);
  }

 private:
  const std::set<std::string>& flatbuffers_topics_;
  std::unordered_set<TopicHandle> translated_;
  std::string headers_;
};

class WireFormatLog final : public LogDecorator {
 public:
  WireFormatLog(Log& inner, std::set<std::string> flatbuffers_topics)
      : LogDecorator(inner), flatbuffers_topics_(std::move(flatbuffers_topics)) {}

  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override {
    return std::make_unique<Consumer>(LogDecorator::consumer(options));
  }
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    return std::make_unique<Producer>(LogDecorator::producer(options), flatbuffers_topics_);
  }

 private:
  const std::set<std::string> flatbuffers_topics_;
};

}  // namespace

std::unique_ptr<Log> with_wire_formats(Log& log, std::set<std::string> flatbuffers_topics) {
  return std::make_unique<WireFormatLog>(log, std::move(flatbuffers_topics));
}

}  // namespace thalweg::shop
