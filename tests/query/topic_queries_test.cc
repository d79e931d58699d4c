#include <future>
#include <set>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/schemas/json.h>

#include "query/query_story.h"
#include "query/query_text.h"

namespace thalweg::testing {
namespace {

class TopicQueries : public QueryStory {
 protected:
  void start_with_topic(std::int32_t partitions = 3) {
    open_log(true);
    add_topic("orders", partitions);
    start();
  }
  std::vector<std::string> items_of(const std::string& page) {
    std::vector<std::string> items;
    const auto text = member(page, "items");
    const auto elements = internal::json_elements(text);
    if (elements) items.assign(elements->begin(), elements->end());
    return items;
  }
  std::vector<std::string> records(const std::string& parameters = "") {
    return items_of(body_of("/v1/topics/orders/records" + parameters));
  }
  // The values that a read shows, joined.
  std::string values(const std::string& parameters = "") {
    std::string all;
    for (const auto& record : records(parameters)) all += member(record, "value") + " ";
    return all;
  }
};

// --- Writing
// --------------------------------------------------------------------------------------

TEST_F(TopicQueries, ARecordIsAnsweredWithItsPlaceAndCanBeReadThere) {
  start_with_topic();

  const auto written = post("orders", R"({"key":"o-1","value":{"total": 12.50}})");

  const auto partition = std::to_string(partition_of("o-1", 3));
  EXPECT_EQ(written.status, 200);
  EXPECT_EQ(written.body, R"({"topic":"orders","partition":)" + partition + R"(,"offset":0})");
  EXPECT_EQ(written.header("x-position"), "orders:" + partition + ":0");
  const auto found = records("?partition=" + partition);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(member(found[0], "key"), "\"o-1\"");
  EXPECT_EQ(member(found[0], "value"), R"({"total": 12.50})");
}

TEST_F(TopicQueries, ArraysAndLinesOfRecordsAreWrittenInOrder) {
  start_with_topic(1);

  const auto array = post("orders", R"([{"value":1},{"value":2}])");
  const auto lines = post("orders", "{\"value\":3}\n\n{\"value\":4}\r\n", "application/x-ndjson");
  const auto guessed = post("orders", "{\"value\":5}\n{\"value\":6}", "text/plain");

  EXPECT_EQ(items_of(array.body).size(), 2u);
  EXPECT_EQ(lines.header("x-position"), "orders:0:3");
  EXPECT_EQ(guessed.status, 200);
  EXPECT_EQ(values(), "\"1\" \"2\" \"3\" \"4\" \"5\" \"6\" ");
}

TEST_F(TopicQueries, ARequestRepeatedWithItsKeyWritesNothingTwice) {
  start_with_topic(1);
  const std::string records = R"([{"key":"a","value":1},{"key":"b","value":2}])";

  const auto first = post_with_key("orders", records, "k-1");
  post("orders", R"({"value":3})");
  const auto again = post_with_key("orders", records, "k-1");
  const auto other = post_with_key("orders", R"({"value":4})", "k-2");

  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("x-position"), first.header("x-position"));
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(values(), "\"1\" \"2\" \"3\" \"4\" ");
}

TEST_F(TopicQueries, RequestsWithOneKeyThatComeAtOnceWriteOnce) {
  start_with_topic(1);
  const std::string records = R"([{"key":"a","value":1},{"key":"b","value":2}])";
  constexpr int kClients = 8;
  constexpr int kKeys = 10;

  for (int key = 0; key < kKeys; ++key) {
    std::vector<std::future<RawResponse>> requests;
    for (int client = 0; client < kClients; ++client) {
      requests.push_back(std::async(std::launch::async, [&, key] {
        return post_with_key("orders", records, "k-" + std::to_string(key));
      }));
    }
    std::set<std::string> positions;
    for (auto& request : requests) {
      const auto answer = request.get();
      if (answer.status == 200) {
        positions.insert(answer.header("x-position"));
      } else {
        EXPECT_EQ(answer.status, 409);
        EXPECT_THAT(answer.body, testing::HasSubstr("request_under_way"));
      }
    }
    EXPECT_EQ(positions.size(), 1u);
  }

  std::string expected;
  for (int key = 0; key < kKeys; ++key) expected += "\"1\" \"2\" ";
  EXPECT_EQ(values(), expected);
}

TEST_F(TopicQueries, WhatACrashLeftOutOfARequestIsWrittenByItsRepetition) {
  start_with_topic(1);
  const std::string records = R"([{"key":"a","value":1},{"key":"b","value":2}])";
  AsyncProducer died(*log_, "died");
  std::promise<void> written;
  died.send("orders", "a", "1", from_millis(1), Headers{{"idempotency-key", "k-1#0"}},
            [&](const auto&) { written.set_value(); });
  written.get_future().wait();

  const auto again = post_with_key("orders", records, "k-1");
  const auto once_more = post_with_key("orders", records, "k-1");

  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(once_more.body, again.body);
  EXPECT_EQ(values(), "\"1\" \"2\" ");
}

TEST_F(TopicQueries, AKeyIsKnownToAServiceThatComesLater) {
  start_with_topic(1);
  const auto first = post_with_key("orders", R"({"key":"a","value":1})", "k-1");

  restart();
  const auto again = post_with_key("orders", R"({"key":"a","value":1})", "k-1");

  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(values(), "\"1\" ");
}

TEST_F(TopicQueries, AKeyThatBelongsToOtherRecordsIs409) {
  start_with_topic(1);
  post_with_key("orders", R"({"key":"a","value":1})", "k-1");

  const auto other = post_with_key("orders", R"({"key":"a","value":2})", "k-1");

  EXPECT_EQ(other.status, 409);
  EXPECT_THAT(other.body, testing::HasSubstr("idempotency_key_reused"));
  EXPECT_EQ(values(), "\"1\" ");
}

TEST_F(TopicQueries, HeadersTimeAndPartitionAreTheClients) {
  start_with_topic();

  post("orders", R"({"key":"k","value":"v","timestamp":1234,"partition":2,)"
                 R"("headers":{"trace":"abc","none":null}})");

  const auto found = records("?partition=2");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(member(found[0], "timestamp"), "1234");
  EXPECT_EQ(member(found[0], "headers"),
            R"([{"key":"trace","value":"abc"},{"key":"none","value":null}])");
}

TEST_F(TopicQueries, WhatWasReadCanBeWrittenAgain) {
  start_with_topic(1);
  post("orders", R"({"key":"//4=","key_encoding":"base64","value":null,)"
                 R"("headers":[{"key":"a","value":"1"},)"
                 R"({"key":"a","value":"/w==","value_encoding":"base64"}]})");
  const auto first = records();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(member(first[0], "key"), "\"//4=\"");
  EXPECT_EQ(member(first[0], "value"), "null");

  EXPECT_EQ(post("orders", "[" + first[0] + "]").status, 200);

  const auto both = records();
  ASSERT_EQ(both.size(), 2u);
  for (const char* name : {"key", "key_encoding", "value", "timestamp", "headers"}) {
    EXPECT_EQ(member(both[1], name), member(both[0], name)) << name;
  }
}

TEST_F(TopicQueries, KeysAndValuesGoThroughTheSchemasOfTheTopology) {
  shop_->schemas["orders"] = {Serde<std::string>::schema(), Serde<std::int64_t>::schema()};
  start_with_topic(1);

  EXPECT_EQ(post("orders", R"({"key":"k","value":42})").status, 200);
  const auto refused = post("orders", R"([{"value":1},{"value":"many"}])");

  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(member(refused.body, "code"), "\"invalid_record\"");
  EXPECT_THAT(refused.body, HasSubstr("record 2 of 2: value: "));
  EXPECT_EQ(values(), "42 ");
}

TEST_F(TopicQueries, WhoReadsATopicAsBytesHidesNothingOfWhatOthersKnowOfIt) {
  const Topology::TopicSchemas json{Serde<std::string>::schema(), Serde<JsonText>::schema()};
  const Topology::TopicSchemas bytes{Serde<Bytes>::schema(), Serde<Bytes>::schema()};
  second_application("before").schemas["orders"] = bytes;
  std::swap(sources_[0], sources_[1]);
  shop_->schemas["orders"] = json;
  second_application("behind").schemas["orders"] = bytes;
  start_with_topic(1);

  EXPECT_EQ(post("orders", R"({"key":"o1","value":{"total":3}})").status, 200);

  const auto found = records();
  EXPECT_EQ(member(found.at(0), "key"), "\"o1\"");
  EXPECT_EQ(member(found.at(0), "value"), R"({"total":3})");
}

TEST_F(TopicQueries, WhatIsReadAsBytesAloneIsShownAndTakenAsTheTextItIs) {
  shop_->schemas["orders"] = {Serde<Bytes>::schema(), Serde<Bytes>::schema()};
  start_with_topic(1);

  EXPECT_EQ(post("orders", R"({"key":"o1","value":{"total":3}})").status, 200);
  EXPECT_EQ(post("orders", R"({"key":"/w==","key_encoding":"base64","value":"v"})").status, 200);

  const auto found = records();
  EXPECT_EQ(member(found.at(0), "key"), "\"o1\"");
  EXPECT_EQ(member(found.at(0), "value"), R"({"total":3})");
  EXPECT_EQ(member(found.at(1), "key"), "\"/w==\"");
  EXPECT_EQ(member(found.at(1), "key_encoding"), "\"base64\"");
  EXPECT_EQ(member(found.at(1), "value"), "\"v\"");
}

TEST_F(TopicQueries, TextThatIsNoTextIsShownAsTheBytesItIs) {
  shop_->schemas["orders"] = {Serde<std::string>::schema(), Serde<JsonText>::schema()};
  start_with_topic(1);

  post("orders", R"({"key":"/w==","key_encoding":"base64","value":{"total":3}})");

  const auto found = records();
  EXPECT_EQ(member(found.at(0), "key"), "\"/w==\"");
  EXPECT_EQ(member(found.at(0), "key_encoding"), "\"base64\"");
}

TEST_F(TopicQueries, TopicsOfTextTakeJsonAsItIsWritten) {
  shop_->schemas["orders"] = {Serde<std::string>::schema(), Serde<JsonText>::schema()};
  start_with_topic(1);

  post("orders", R"({"key":{"a" : 1},"value":{"b" :  1.0}})");

  const auto found = records();
  EXPECT_EQ(member(found.at(0), "key"), R"("{\"a\" : 1}")");
  EXPECT_EQ(member(found.at(0), "value"), R"({"b" :  1.0})");
}

TEST_F(TopicQueries, RecordsThatCannotBeAre400AndNothingIsWritten) {
  start_with_topic();
  for (const char* body : {"",
                           " ",
                           "nonsense",
                           "{",
                           "[",
                           "[1]",
                           "\"text\"",
                           "{}",
                           R"({"key":"k"})",
                           R"({"value":1,"vlaue":2})",
                           R"({"value":1,"timestamp":-1})",
                           R"({"value":1,"timestamp":"now"})",
                           R"({"value":1,"timestamp":253402300800000})",
                           R"({"value":1,"timestamp":9223372036854775807})",
                           R"({"value":1,"partition":3})",
                           R"({"value":1,"partition":-1})",
                           R"({"value":"!","value_encoding":"base64"})",
                           R"({"value":1,"value_encoding":"hex"})",
                           R"({"value":1,"headers":3})",
                           R"({"value":1,"headers":[{"kay":"x"}]})",
                           R"([{"value":1},{"value":1,"x":2}])",
                           "{\"value\":1}\n{\"value\":\n"}) {
    EXPECT_EQ(post("orders", body).status, 400) << body;
  }
  EXPECT_EQ(values(), "");
}

TEST_F(TopicQueries, ARecordMayBeOfAnyTimeUpToTheYear9999) {
  start_with_topic(1);

  EXPECT_EQ(post("orders", R"({"value":"last","timestamp":253402300799999})").status, 200);
  const auto refused = post("orders", R"({"value":"later","timestamp":253402300800000})");

  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("timestamp: is behind the year 9999"));
  EXPECT_EQ(values(), "\"last\" ");
}

TEST_F(TopicQueries, JsonNestedTooDeepIs400AndHarmsNobody) {
  start_with_topic();
  const std::string open(100'000, '['), close(100'000, ']');

  EXPECT_EQ(post("orders", R"({"value":)" + open + close + "}").status, 400);
  EXPECT_EQ(post("orders", R"({"value":)" + open).status, 400);
  EXPECT_EQ(post("orders", open + close).status, 400);
  EXPECT_EQ(get("/livez").status, 200);
}

TEST_F(TopicQueries, ATopicThatIsNotThereIs404AndIsNotMade) {
  start_with_topic();

  const auto response = post("order", R"({"value":1})");

  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(member(response.body, "hint"), "\"did you mean 'orders'?\"");
  EXPECT_EQ(get("/v1/topics/order/records").status, 404);
  EXPECT_EQ(log_->topics()->size(), 1u);
}

TEST_F(TopicQueries, TopicsThatAnApplicationKeepsForItselfCannotBeWritten) {
  start_with_topic();

  EXPECT_EQ(post("shop-stock-changelog", R"({"value":1})").status, 403);
  EXPECT_EQ(post("shop-by-product-repartition", R"({"value":1})").status, 403);
}

TEST_F(TopicQueries, WritingCanBeTurnedOff) {
  open_log(true);
  add_topic("orders");
  start({.topics_writable = false});

  EXPECT_EQ(post("orders", R"({"value":1})").status, 405);
}

// --- Reading
// --------------------------------------------------------------------------------------

class TopicReads : public TopicQueries {
 protected:
  void start_with_ten_records() {
    start_with_topic(1);
    std::string body;
    for (int i = 0; i < 10; ++i) {
      body += R"({"value":"v)" + std::to_string(i) + R"(","timestamp":)" + std::to_string(100 * i) +
              "}\n";
    }
    EXPECT_EQ(post("orders", body, "application/x-ndjson").status, 200);
  }
};

TEST_F(TopicReads, APageBeginsAtAnOffsetOrATimeOrFromTheEnd) {
  start_with_ten_records();

  EXPECT_EQ(values("?limit=2"), "\"v0\" \"v1\" ");
  EXPECT_EQ(values("?offset=8"), "\"v8\" \"v9\" ");
  EXPECT_EQ(values("?offset=-1"), "\"v9\" ");
  EXPECT_EQ(values("?timestamp=750&limit=1"), "\"v8\" ");
  EXPECT_EQ(values("?offset=100"), "");
  EXPECT_EQ(values("?offset=-100&limit=1"), "\"v0\" ");
}

TEST_F(TopicReads, APageSaysWhereTheNextBeginsAndWhereTheTopicEnds) {
  start_with_ten_records();

  const auto page = body_of("/v1/topics/orders/records?offset=2&limit=3");

  EXPECT_EQ(member(page, "next"), R"({"0":5})");
  EXPECT_EQ(member(page, "end"), R"({"0":10})");
}

TEST_F(TopicReads, APageOfLargeRecordsEndsBeforeItsLimit) {
  start_with_topic(1);
  const std::string large(900'000, 'x');
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(post("orders", R"({"value":")" + large + "\"}").status, 200);

  const auto first = body_of("/v1/topics/orders/records");

  const auto count = items_of(first).size();
  EXPECT_LT(count, 12u);
  EXPECT_GT(count, 5u);
  EXPECT_EQ(member(first, "next"), R"({"0":)" + std::to_string(count) + "}");
}

TEST_F(TopicReads, AllPartitionsAreReadWhenNoneIsNamed) {
  start_with_topic(3);
  for (int i = 0; i < 3; ++i) {
    post("orders",
         R"({"value":"p)" + std::to_string(i) + R"(","partition":)" + std::to_string(i) + "}");
  }

  EXPECT_EQ(values(), "\"p0\" \"p1\" \"p2\" ");
  EXPECT_EQ(values("?partition=1"), "\"p1\" ");
}

TEST_F(TopicReads, ParametersThatCannotBeAre400) {
  start_with_ten_records();
  for (const char* parameter :
       {"partition=1", "partition=-1", "partition=99999999999", "partition=x", "offset=x",
        "timestamp=-5", "limit=0", "at_least=orders:0:1", "at_least="}) {
    EXPECT_EQ(get("/v1/topics/orders/records?" + std::string(parameter)).status, 400) << parameter;
  }
}

TEST_F(TopicReads, BytesThatFitNoSchemaAreShownAsWhatTheyAre) {
  start_with_topic(1);
  shop_->schemas["orders"] = {nullptr, Serde<std::int64_t>::schema()};
  const auto producer = log_->producer({});
  const auto topic = producer->topic("orders");
  for (const std::string value : {"text", "[1, 2]", "[1, 2", "\xff"}) {
    ASSERT_TRUE(producer->send(topic, 0, std::nullopt, value, from_millis(1), ""));
  }
  producer->commit();

  EXPECT_EQ(values(), R"("text" [1, 2] "[1, 2" "/w==" )");
}

TEST_F(TopicReads, TopicsAreListedWithTheirRanges) {
  start_with_ten_records();

  const auto topics = items_of(body_of("/v1/topics"));

  ASSERT_EQ(topics.size(), 1u);
  EXPECT_EQ(member(topics[0], "name"), "\"orders\"");
  EXPECT_EQ(member(topics[0], "partitions"), R"([{"partition":0,"begin":0,"end":10}])");
}

}  // namespace
}  // namespace thalweg::testing
