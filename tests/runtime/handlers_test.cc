// What happens to records that cannot be read, processed or written.

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/state/stores.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using Text = std::string;

// A serde that refuses what it should not see.
struct Picky {
  static void serialize(const Text& value, std::string& out) {
    if (value == "unwritable") throw SerdeError("not in this house");
    out += value;
  }
  static void deserialize(BytesView bytes, Text& out) {
    if (bytes == "unreadable") throw SerdeError("no such word");
    out.assign(bytes);
  }
  static SchemaPtr schema() { return Serde<Text>::schema(); }
};

class Handlers : public ::testing::Test {
 protected:
  Handlers() {
    spdlog::set_level(spdlog::level::off);
    config_.dead_letter_topic = "{topic}.dlq";
  }
  void run() {
    StreamsBuilder builder;
    builder.stream<Text, Text>("in", {.value_serde = AnySerde<Text>(Picky{})})
        .peek([](const Text&, const Text& value) {
          if (value == "unprocessable") throw std::runtime_error("cannot think of that");
        })
        .to("out", {.value_serde = AnySerde<Text>(Picky{})});
    driver_.emplace(builder.build(), config_);
  }
  void pipe(const Text& value) { driver_->pipe("in", "k", value, from_millis(7), {{"h", "x"}}); }
  auto out() { return driver_->create_output_topic<Text, Text>("out").read_key_values(); }
  TestRecord<Text, Text> dead_letter() {
    return driver_->create_output_topic<Text, Text>("in.dlq").read_record();
  }
  std::uint64_t dropped() { return driver_->metrics().at("dropped-records-total"); }
  static Text header(const TestRecord<Text, Text>& record, const char* key) {
    const Header* header = record.headers.last(key);
    return header ? header->value.value_or("null") : "none";
  }

  StreamsConfig config_;
  std::optional<TopologyTestDriver> driver_;
};

TEST_F(Handlers, FailUnlessToldOtherwiseWithTheNodeAndTheRecord) {
  run();

  EXPECT_THAT([this] { pipe("unreadable"); },
              ThrowsMessage<StreamsError>(HasSubstr("topic=in, partition=0, offset=0")));
  run();
  EXPECT_THAT([this] { pipe("unprocessable"); },
              ThrowsMessage<StreamsError>(HasSubstr("KSTREAM-PEEK-0000000001")));
  run();
  EXPECT_THAT([this] { pipe("unwritable"); },
              ThrowsMessage<StreamsError>(testing::AllOf(
                  HasSubstr("KSTREAM-SINK-0000000002"),
                  HasSubstr("cannot write a record for topic out: not in this house"))));
}

TEST_F(Handlers, GoOnWithoutTheRecordAndCountIt) {
  config_.deserialization_handler = config_.processing_handler = config_.production_handler =
      FailureHandling::kContinue;
  run();

  for (const char* value : {"unreadable", "a", "unprocessable", "b", "unwritable", "c"}) {
    pipe(value);
  }

  EXPECT_THAT(out(), ElementsAre(Pair("k", "a"), Pair("k", "b"), Pair("k", "c")));
  EXPECT_EQ(dropped(), 3u);
}

TEST_F(Handlers, AskTheOneThatIsMeant) {
  config_.processing_handler = FailureHandling::kContinue;
  run();

  EXPECT_THROW(pipe("unwritable"), StreamsError);
}

TEST_F(Handlers, KeepTheRecordWithWhatIsKnownOfTheFailure) {
  config_.deserialization_handler = config_.processing_handler = config_.production_handler =
      FailureHandling::kDeadLetter;
  run();

  pipe("unreadable");
  const auto unread = dead_letter();
  EXPECT_EQ(unread.value, "unreadable");
  EXPECT_EQ(unread.timestamp, from_millis(7));
  EXPECT_EQ(header(unread, "h"), "x");
  EXPECT_EQ(header(unread, "__streams.errors.message"), "no such word");
  EXPECT_EQ(header(unread, "__streams.errors.topic"), "in");
  EXPECT_EQ(header(unread, "__streams.errors.partition"), "0");
  EXPECT_EQ(header(unread, "__streams.errors.offset"), "0");

  pipe("unprocessable");
  EXPECT_EQ(header(dead_letter(), "__streams.errors.message"), "cannot think of that");

  pipe("unwritable");
  EXPECT_EQ(header(dead_letter(), "__streams.errors.message"), "not in this house");
}

TEST_F(Handlers, KeepARecordWhoseTimeItsExtractorCannotRead) {
  config_.deserialization_handler = FailureHandling::kDeadLetter;
  StreamsBuilder builder;
  const auto time_of = [](const Text&, const Text& value, Timestamp time, Timestamp) {
    if (value == "some day") throw SerdeError("when is that?");
    if (value == "broken") throw std::runtime_error("out of order");
    return time;
  };
  builder.stream<Text, Text>("in", {.timestamp_extractor = time_of}).to("out");
  driver_.emplace(builder.build(), config_);

  pipe("some day");
  pipe("today");

  EXPECT_THAT(out(), ElementsAre(Pair("k", "today")));
  const auto kept = dead_letter();
  EXPECT_EQ(kept.value, "some day");
  EXPECT_EQ(header(kept, "__streams.errors.message"), "when is that?");
  EXPECT_THAT([this] { pipe("broken"); },
              ThrowsMessage<StreamsError>(HasSubstr("user code error in timestamp extractor")));
}

// --- Suppliers that bring stores along ----------------------------------------------------------

struct Counter final : Processor<Text, Text> {
  void process(const RecordRef<Text, Text>& record) override {
    auto& counts = context().key_value_store<Text, std::int64_t>("counts");
    const std::int64_t* before = counts.get(record.key);
    const std::int64_t now = (before ? *before : 0) + 1;
    counts.put(record.key, now);
    context().forward(record.key, std::to_string(now));
  }
};

struct CounterSupplier {
  std::unique_ptr<Counter> operator()() const { return std::make_unique<Counter>(); }
  std::vector<std::shared_ptr<StoreBuilder>> stores() const { return {counts}; }
  std::shared_ptr<StoreBuilder> counts = key_value_store_builder<Text, std::int64_t>("counts");
};

TEST(Supplier, BringsItsStoresIntoAStream) {
  const CounterSupplier supplier;
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").process(supplier).to("out");
  builder.stream<Text, Text>("in").process(supplier).to("out");
  TopologyTestDriver driver(builder.build());

  driver.pipe("in", "k", "v", from_millis(0));

  auto out = driver.create_output_topic<Text, Text>("out");
  EXPECT_THAT(out.read_key_values(), ElementsAre(Pair("k", "1"), Pair("k", "2")));
}

TEST(Supplier, BringsItsStoresIntoATopology) {
  Topology topology;
  topology.add_source<Text, Text>("source", {"in"})
      .add_processor("counter", CounterSupplier(), {"source"})
      .add_sink<Text, Text>("sink", "out", {"counter"});
  TopologyTestDriver driver(std::move(topology));

  driver.pipe("in", "k", "v", from_millis(0));

  EXPECT_THAT(driver.stores(), ElementsAre(Pair("counts", testing::NotNull())));
}

TEST(Topology, ReadsAPatternAndWritesWhereItIsTold) {
  Topology topology;
  topology.add_source<Text, Text>("source", TopicPattern("in-.*"))
      .add_sink<Text, Text>("sink",
                            {.extract = [](const Text&, const Text& value,
                                           const RecordMetadata&) { return "out-" + value; },
                             .name = "byValue"},
                            {"source"});
  EXPECT_THAT(topology.describe().to_text(), HasSubstr("Sink: sink (extractor class: byValue)"));
  TopologyTestDriver driver(std::move(topology));

  driver.pipe("in-a", "k", "v", from_millis(0));

  EXPECT_THAT(driver.produced_topic_names(), ElementsAre("out-v"));
}

// --- Handlers of one's own --------------------------------------------------------------------

/// Lets one word pass by and keeps the rest of what fails in a list.
class Forgiving final : public DeserializationExceptionHandler,
                        public ProcessingExceptionHandler,
                        public ProductionExceptionHandler {
 public:
  FailureHandling handle(const ErrorContext& context, const RecordView& record,
                         const SerdeError& error) override {
    return note(context, std::string(*record.value) + ": " + error.what());
  }
  FailureHandling handle(const ErrorContext& context, const std::exception& error) override {
    return note(context, error.what());
  }

  FailureHandling answer = FailureHandling::kContinue;
  std::vector<Text> notes;
  std::vector<Text> sources;  // The records as they were read.

 private:
  FailureHandling note(const ErrorContext& context, const Text& what) {
    notes.push_back(Text(context.node) + "/" + Text(context.record.topic) + "@" +
                    std::to_string(context.record.offset) + " " + what);
    sources.emplace_back(context.source->value.value_or("null"));
    return answer;
  }
};

TEST_F(Handlers, OfOnesOwnDecideInPlaceOfTheSettings) {
  const auto own = std::make_shared<Forgiving>();
  config_.deserialization_exception_handler = own;
  config_.processing_exception_handler = own;
  config_.production_exception_handler = own;
  run();

  for (const char* value : {"unreadable", "unprocessable", "unwritable", "fine"}) pipe(value);

  EXPECT_THAT(out(), ElementsAre(Pair("k", "fine")));
  EXPECT_THAT(own->notes, ElementsAre("/in@0 unreadable: no such word",
                                      "KSTREAM-PEEK-0000000001/in@1 cannot think of that",
                                      HasSubstr("KSTREAM-SINK-0000000002/in@2")));
  EXPECT_THAT(own->sources, ElementsAre("unreadable", "unprocessable", "unwritable"));
  EXPECT_EQ(dropped(), 3u);
}

TEST_F(Handlers, OfOnesOwnMayStopTheTaskOrKeepTheRecord) {
  const auto own = std::make_shared<Forgiving>();
  config_.processing_handler = FailureHandling::kContinue;
  config_.processing_exception_handler = own;
  run();

  own->answer = FailureHandling::kDeadLetter;
  pipe("unprocessable");
  EXPECT_EQ(header(dead_letter(), "__streams.errors.message"), "cannot think of that");

  own->answer = FailureHandling::kFail;
  EXPECT_THAT([this] { pipe("unprocessable"); },
              ThrowsMessage<StreamsError>(HasSubstr("cannot think of that")));
}

}  // namespace
}  // namespace thalweg
