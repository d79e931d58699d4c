// What each key accepts, what is said about the rest, and which keys depend on each other.

#include <thalweg/runtime/nearest_name.h>

#include "config_story.h"

namespace thalweg {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

class StreamsConfigKeys : public ConfigStory {};

TEST_F(StreamsConfigKeys, DefaultsAreThoseOfTheStruct) {
  const auto built = config();

  EXPECT_EQ(built.num_stream_threads, 1);
  EXPECT_EQ(built.processing_guarantee, ProcessingGuarantee::kExactlyOnceV2);
  EXPECT_EQ(built.commit_interval, milliseconds(100));
  EXPECT_EQ(built.statestore_cache_max_bytes, 10'485'760u);
  EXPECT_EQ(built.state_dir, "./data");
}

TEST_F(StreamsConfigKeys, EveryKeyAcceptsItsOwnDefault) {
  for (const auto& entry : settings_.effective()) {
    if (entry.value.empty() && entry.key != "errors.dead.letter.queue.topic.name") continue;
    StreamsConfigBuilder again;
    again.set("application.id", "count", "the test").set(entry.key, entry.value, "its default");
    EXPECT_NO_THROW(again.build()) << entry.key << " = " << entry.value;
  }
}

TEST_F(StreamsConfigKeys, SetKeysReachTheirFields) {
  given("num.stream.threads", "3");
  given("commit.interval.ms", "250");
  given("processing.guarantee", "at_least_once");
  given("max.task.idle.ms", "-1");
  given("statestore.cache.max.bytes", "0");
  given("topology.optimization", "merge.repartition.topics,reuse.ktable.source.topics");

  const auto built = config();

  EXPECT_EQ(built.num_stream_threads, 3);
  EXPECT_EQ(built.commit_interval, milliseconds(250));
  EXPECT_EQ(built.processing_guarantee, ProcessingGuarantee::kAtLeastOnce);
  EXPECT_EQ(built.max_task_idle, milliseconds(-1));
  EXPECT_EQ(built.statestore_cache_max_bytes, 0u);
  EXPECT_EQ(built.topology_optimization, "merge.repartition.topics,reuse.ktable.source.topics");
}

TEST_F(StreamsConfigKeys, AtLeastOnceCommitsEveryThirtySecondsUnlessTold) {
  given("processing.guarantee", "at_least_once");

  EXPECT_EQ(config().commit_interval, milliseconds(30'000));
}

TEST_F(StreamsConfigKeys, ClientIdFollowsTheApplication) {
  EXPECT_EQ(config().client_id, "count");

  given("client.id", "count-on-host-7");

  EXPECT_EQ(config().client_id, "count-on-host-7");
}

TEST_F(StreamsConfigKeys, HandlersGoByShortNameOrByKafkasClass) {
  given("errors.dead.letter.queue.topic.name", "dead");
  given("deserialization.exception.handler", "dead-letter");
  given("processing.exception.handler",
        "org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler");

  const auto built = config();

  EXPECT_EQ(built.deserialization_handler, FailureHandling::kDeadLetter);
  EXPECT_EQ(built.processing_handler, FailureHandling::kContinue);
}

TEST_F(StreamsConfigKeys, DeadLettersMayGoToATopicPerTopic) {
  given("errors.dead.letter.queue.topic.name", "{topic}.dlq");

  EXPECT_EQ(config().dead_letter_topic, "{topic}.dlq");
}

TEST_F(StreamsConfigKeys, ClientKeysAreKeptWhole) {
  given("consumer.fetch.min.bytes", "1024");
  given("producer.acks", "all");
  given("consumer.enable.auto.commit", "false");

  EXPECT_THAT(config().client_properties,
              ElementsAre(Pair("consumer.enable.auto.commit", "false"),
                          Pair("consumer.fetch.min.bytes", "1024"), Pair("producer.acks", "all")));
}

class StreamsConfigFaults : public ConfigStory {};

TEST_F(StreamsConfigFaults, UnknownKeyNamesTheNearestAndItsPlace) {
  file_says("\n[num.stream]\nthread = 3\n");

  EXPECT_EQ(complaint(),
            "'num.stream.thread' (count.toml:3): unknown key; "
            "the nearest known key is 'num.stream.threads'");
}

TEST_F(StreamsConfigFaults, SwappedLettersAreOneMistake) {
  given("applicaiton.id", "count");

  EXPECT_THAT(complaint(), HasSubstr("'application.id'"));
}

TEST_F(StreamsConfigFaults, ApplicationKeysAreCandidatesToo) {
  settings_.allow({"shop.timezone"});
  given("shop.timezon", "UTC");

  EXPECT_THAT(complaint(), HasSubstr("'shop.timezone'"));
}

TEST_F(StreamsConfigFaults, ValueThatIsNotAllowedIsNamedWithWhatIs) {
  file_says("num.stream.threads = 0");

  EXPECT_EQ(complaint(),
            "num.stream.threads = '0' (count.toml:1): allowed is a whole number from 1 to 1024");
}

TEST_F(StreamsConfigFaults, EveryFaultIsToldAtOnce) {
  given("commit.interval.ms", "soon");
  given("processing.guarantee", "exactly_twice");

  EXPECT_THAT(complaint(), AllOf(HasSubstr("commit.interval.ms = 'soon' (--set)"), HasSubstr("\n"),
                                 HasSubstr("exactly_once_v2 or at_least_once")));
}

TEST_F(StreamsConfigFaults, ThousandFaultsAreCutShort) {
  for (int i = 0; i < 1000; ++i) given("nonsense." + std::to_string(i), "1");

  EXPECT_LT(complaint().size(), 4000u);
}

class RefusedValue : public ConfigStory,
                     public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(RefusedValue, IsAFault) {
  const auto [key, value] = GetParam();
  given(key, value);

  EXPECT_THAT(complaint(), AllOf(StartsWith(key), HasSubstr("(--set): allowed is ")));
}

INSTANTIATE_TEST_SUITE_P(
    OfEachKind, RefusedValue,
    ::testing::Values(std::pair("application.id", ""), std::pair("application.id", "a/b"),
                      std::pair("application.id", ".."), std::pair("client.id", "two words"),
                      std::pair("bootstrap.servers", "localhost"),
                      std::pair("bootstrap.servers", "localhost:9092,"),
                      std::pair("bootstrap.servers", "here:70000"), std::pair("state.dir", ""),
                      std::pair("num.stream.threads", "3.0"), std::pair("num.stream.threads", "+3"),
                      std::pair("num.stream.threads", " 3"), std::pair("num.stream.threads", "0x3"),
                      std::pair("num.stream.threads", "99999999999999999999"),
                      std::pair("statestore.cache.max.bytes", "-1"),
                      std::pair("commit.interval.ms", "0"),
                      std::pair("commit.interval.ms", "9223372036854775807"),
                      std::pair("max.task.idle.ms", "-2"),
                      std::pair("topology.optimization", "some"),
                      std::pair("deserialization.exception.handler", "ignore"),
                      std::pair("errors.dead.letter.queue.topic.name", "a b"),
                      std::pair("errors.dead.letter.queue.topic.name", "{topic}"),
                      std::pair("errors.dead.letter.queue.topic.name", "{topic}{topic}.dlq")));

TEST_F(StreamsConfigFaults, KeyWithoutEffectHereSaysWhatToDoInstead) {
  given("probing.rebalance.interval.ms", "1000");
  given("cache.max.bytes.buffering", "0");
  given("auto.offset.reset", "latest");
  given("global.consumer.fetch.min.bytes", "1");

  EXPECT_THAT(
      complaint(),
      AllOf(HasSubstr("'probing.rebalance.interval.ms' (--set): known to Kafka, without effect "
                      "here: a process joins as soon as its copies have caught up"),
            HasSubstr("use statestore.cache.max.bytes"), HasSubstr("put consumer. before it"),
            HasSubstr("use restore.consumer.")));
}

TEST_F(StreamsConfigFaults, ClientKeysTheProtocolDecidesAreRefused) {
  given("consumer.enable.auto.commit", "true");
  given("producer.transactional.id", "mine");

  EXPECT_THAT(complaint(), AllOf(HasSubstr("only false is allowed"),
                                 HasSubstr("transactional ids are made from the application.id")));
}

TEST_F(StreamsConfigFaults, PrefixAloneIsNoKey) {
  given("consumer.", "1");

  EXPECT_THAT(complaint(), HasSubstr("unknown key"));
}

TEST_F(StreamsConfigFaults, ApplicationIdIsRequired) {
  EXPECT_THROW(StreamsConfigBuilder().build(), ConfigError);
}

TEST(StreamsConfig, CommitsOnKafkaAreSomeWayApart) {
  StreamsConfigBuilder builder;
  builder.set("application.id", "counts", "test");
  EXPECT_EQ(builder.build().commit_interval_min, milliseconds(0));

  builder.set("bootstrap.servers", "one:9092,two:9092", "test");
  EXPECT_EQ(builder.build().commit_interval_min, milliseconds(25));

  builder.set("commit.interval.min.ms", "3", "test");
  EXPECT_EQ(builder.build().commit_interval_min, milliseconds(3));
}

TEST(StreamsConfig, KeysOfAllClientsNeedNoPrefix) {
  StreamsConfigBuilder builder;
  builder.set("application.id", "counts", "test");
  builder.set("security.protocol", "SASL_SSL", "test");
  builder.set("sasl.password", "hunter2", "test");

  EXPECT_THAT(builder.build().client_properties,
              ElementsAre(Pair("sasl.password", "hunter2"), Pair("security.protocol", "SASL_SSL")));
}

TEST_F(StreamsConfigFaults, CommitIntervalStaysWithinTheTransactionTimeout) {
  given("commit.interval.ms", "20000");

  EXPECT_THAT(complaint(), HasSubstr("above transaction.timeout.ms (15000)"));

  given("transaction.timeout.ms", "20000");

  EXPECT_THAT(complaint(), IsEmpty());
}

TEST_F(StreamsConfigFaults, WithoutTransactionsTheirTimeoutDoesNotMatter) {
  given("processing.guarantee", "at_least_once");
  given("commit.interval.ms", "60000");

  EXPECT_THAT(complaint(), IsEmpty());
}

TEST_F(StreamsConfigFaults, DeliveryTimeoutStaysWithinTheTransactionTimeout) {
  given("producer.delivery.timeout.ms", "120000");

  EXPECT_THAT(complaint(), HasSubstr("producer.delivery.timeout.ms (120000) is above"));
}

TEST_F(StreamsConfigFaults, ShortestCommitIntervalIsNotAboveTheLongest) {
  given("commit.interval.min.ms", "101");

  EXPECT_THAT(complaint(), HasSubstr("is above commit.interval.ms (100)"));
}

TEST_F(StreamsConfigFaults, DeadLettersNeedATopic) {
  given("processing.exception.handler", "dead-letter");

  EXPECT_THAT(complaint(), StartsWith("processing.exception.handler = dead-letter needs"));
}

TEST_F(StreamsConfigFaults, MemoryForStateIsAMebibyteAtLeast) {
  given("state.memory.max.bytes", "1048575");

  EXPECT_THAT(complaint(), HasSubstr("allowed is a whole number, 1048576 or more"));
}

class EffectiveConfig : public ConfigStory {};

TEST_F(EffectiveConfig, ListsEveryKeyWithItsOrigin) {
  file_says("num.stream.threads = 2");

  const auto effective = settings_.effective();

  using Entry = StreamsConfigBuilder::Effective;
  EXPECT_EQ(effective.size(), StreamsConfigBuilder::keys().size());
  EXPECT_THAT(effective,
              Contains(AllOf(Field(&Entry::key, "num.stream.threads"), Field(&Entry::value, "2"),
                             Field(&Entry::origin, "count.toml:1"))));
  EXPECT_THAT(effective, Contains(AllOf(Field(&Entry::key, "commit.interval.ms"),
                                        Field(&Entry::origin, "default"))));
}

TEST_F(EffectiveConfig, HidesSecrets) {
  settings_.allow({"auth.secret"});
  given("auth.secret", "hunter2");
  given("consumer.sasl.password", "hunter2");

  using Entry = StreamsConfigBuilder::Effective;
  EXPECT_THAT(settings_.effective(), Each(Field(&Entry::value, Not(HasSubstr("hunter2")))));
  EXPECT_EQ(settings_.application_value("auth.secret"), "hunter2");
}

TEST(EditDistance, CountsInsertedRemovedReplacedAndSwappedCharacters) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("abc", "abcd"), 1u);
  EXPECT_EQ(edit_distance("abc", "axc"), 1u);
  EXPECT_EQ(edit_distance("abc", "acb"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace thalweg
