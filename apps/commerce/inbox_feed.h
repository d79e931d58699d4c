#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/log.h>
#include <thalweg/runtime/streams_application.h>

#include "handler_threads.h"
#include "notice.h"

namespace thalweg::shop {

/// A notice on its way to a client.
struct InboxItem {
  std::int64_t number = 0;
  std::string destination;
  Notice notice;
};

/// Where a reader's notices go. Thread-safe.
class InboxSink {
 public:
  using Ready = ResponseStream::Ready;

  virtual ~InboxSink() = default;
  /// Sends a page. Calls `ready` with true when the next may follow, with false when the client is
  /// gone. `live`: these are news; the client had everything before.
  virtual void send(const std::vector<InboxItem>& page, bool live, Ready ready) = 0;
  /// Sends something that says nothing.
  virtual void beat(Ready ready) = 0;
  /// Ends the connection.
  virtual void finish() = 0;
};

/// One client that listens to a user's inbox.
///
/// Whatever is new is read from the store `inbox`, a page at a time, and only once the sink is
/// ready for it: a slow reader holds a page of memory and nobody up.
class InboxReader : public std::enable_shared_from_this<InboxReader> {
 public:
  struct Wish {
    std::string user_id;
    std::string order_id;   ///< Only what concerns that order; empty: everything.
    std::int64_t after = 0; ///< The number of the last notice that the client has.
  };

  /// `run` runs work later, where it may wait for the store; false: not at all.
  using Run = InOrder::Run;

  InboxReader(StreamsApplication& notifications, Run run, Wish wish,
              std::unique_ptr<InboxSink> sink)
      : notifications_(notifications),
        run_(std::move(run)),
        wish_(std::move(wish)),
        sink_(std::move(sink)) {}

  const std::string& user_id() const { return wish_.user_id; }
  /// Sends what is new. From any thread; reads the store.
  void catch_up();
  /// Sends a comment if nothing else is under way: so the end of a silent client is noticed.
  void beat();
  bool is_over() const;
  /// Nothing is sent any more.
  void stop();
  /// The same, and ends the connection.
  void finish();

 private:
  bool begin(bool news);
  void read_on();
  void send_page();
  std::vector<InboxItem> next_page(const StoreView& view);
  void send(const std::vector<InboxItem>& page);
  void taken(bool alive);
  void rest();

  StreamsApplication& notifications_;
  const Run run_;
  Wish wish_;
  bool live_ = false;
  mutable std::mutex mutex_;  // Guards the three below; the others are whoever's made it busy.
  bool busy_ = false;
  bool news_ = false;
  bool over_ = false;
  const std::unique_ptr<InboxSink> sink_;
};

/// Tells readers that something has come for their users: reads the topic `inbox` from its end, in
/// a thread of its own. Thread-safe.
class InboxFeed {
 public:
  /// `run_soon` runs work later, where it may wait.
  InboxFeed(StreamsApplication& notifications, InboxReader::Run run_soon);
  ~InboxFeed();  ///< As close().

  void add(std::shared_ptr<InboxReader> reader);
  /// Stops the reader, and keeps it no longer.
  void remove(InboxReader& reader);
  /// Ends the connections of all readers, and takes no more.
  void finish_all();
  void close();

 private:
  using Readers = std::vector<std::shared_ptr<InboxReader>>;

  void run();
  void ring(const RecordBatch& batch);
  void ring_when_processed(const TopicPartition& partition, Offset offset, Readers readers);
  void beat_all();
  Readers all_readers();
  Readers readers_of(std::string_view user_id);

  StreamsApplication& notifications_;
  const InboxReader::Run run_soon_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, Readers> readers_;  // By user.
  bool finished_ = false;
  bool woken_ = false;
  bool closing_ = false;
  std::vector<TopicPartition> partitions_;
  std::vector<Offset> rung_;  // Guarded: up to where readers have been looked up.
  std::unique_ptr<LogConsumer> consumer_;  // Its wake-up uses the others.
  std::thread thread_;                     // Last, as it uses all of them.
};

}  // namespace thalweg::shop
