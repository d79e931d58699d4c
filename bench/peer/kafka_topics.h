#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/bytes.h>

// Topics of a cluster as neither side of a comparison sees them: with a plain client. Every
// function throws std::runtime_error with the client's own words where the cluster refuses or is
// not there.

namespace thalweg::bench {

struct TopicSpec {
  std::string name;
  int partitions = 0;
  std::vector<std::pair<std::string, std::string>> settings;
};

struct TopicSize {
  std::string name;
  int partitions = 0;
  std::int64_t records = 0;
};

/// A topic that exists already stays as it is.
void create_topics(const std::string& bootstrap, const std::vector<TopicSpec>& topics);
/// Those whose names begin with one of `prefixes`. Returns how many there were.
std::size_t delete_topics(const std::string& bootstrap, const std::vector<std::string>& prefixes);
std::vector<TopicSize> list_topics(const std::string& bootstrap);

class TopicWriter {
 public:
  enum class Pace { kBulk, kPrompt };  ///< Large batches, or every record at once.

  TopicWriter(const std::string& bootstrap, const std::string& topic, Pace pace);
  ~TopicWriter();

  /// Waits while the client's queue is full. The partition is that of Java's producer.
  void put(std::optional<BytesView> key, BytesView value, std::int64_t timestamp_ms);
  /// Lets the client tell what became of records; call it now and then.
  void poll();
  /// Waits for all records. Returns how many could not be written.
  std::int64_t flush();

 private:
  struct Client;
  std::unique_ptr<Client> client_;
};

/// Reads what is committed in all partitions of a topic, in no group.
class TopicReader {
 public:
  enum class From { kBeginning, kEnd };
  struct Record {
    int partition;
    std::int64_t timestamp_ms;
    BytesView key;
    BytesView value;
    bool is_tombstone;
  };

  TopicReader(const std::string& bootstrap, const std::string& topic, From from);
  ~TopicReader();

  /// Hands over what is there, after waiting for it up to `wait_ms`.
  void read(int wait_ms, const std::function<void(const Record&)>& record);
  /// Whether every partition has been read to where it ended at some time.
  bool at_end() const;
  int partitions() const;

 private:
  struct Client;
  std::unique_ptr<Client> client_;
};

}  // namespace thalweg::bench
