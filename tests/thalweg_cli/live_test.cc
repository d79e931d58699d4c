// The tool against a shop that runs: looks at it, writes to it, and re-runs what it gave up.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_client.h"
#include "end_to_end/shop_process.h"
#include "stub_receiver.h"
#include "thalweg_cli/cli_run.h"

namespace thalweg::cli_story {
namespace {

using stub_receiver::StubReceiver;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A shop with a lamp and a customer, whose webhooks go to a receiver of the test's.
class Live : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_.emplace();
    ASSERT_TRUE(world_->receiver.start());
    world_->shop.emplace(
        world_->directory.path() / "data", std::map<std::string, std::string>{},
        std::vector<std::string>{
            "--set", "webhook.url=http://127.0.0.1:" + std::to_string(world_->receiver.port())});
    world_->shop->start_and_wait();
    end_to_end::ShopClient client(world_->shop->port());
    client.stock("lamp", 4'900, 10);
    client.register_user("ada");
    client.deposit("ada", 1'000'000);
  }
  static void TearDownTestSuite() { world_.reset(); }

  static Ran ask(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.end(), {"--url", world_->shop->url()});
    return thalweg(arguments, input);
  }
  /// Asks until `wanted` says yes to the answer, for up to a minute and a half. Each question
  /// starts a process, which is pause enough.
  template <typename Wanted>
  static Ran ask_until(const std::vector<std::string>& arguments, Wanted wanted) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(90);
    for (;;) {
      Ran ran = ask(arguments);
      if (wanted(ran) || std::chrono::steady_clock::now() > end) return ran;
    }
  }
  static end_to_end::ShopClient customer() { return end_to_end::ShopClient(world_->shop->port()); }
  static StubReceiver& receiver() { return world_->receiver; }
  static std::string url() { return world_->shop->url(); }

 private:
  struct World {
    end_to_end::TemporaryDirectory directory;
    StubReceiver receiver;
    std::optional<end_to_end::ShopProcess> shop;
  };
  static inline std::optional<World> world_;
};

TEST_F(Live, DescribePrintsOneApplicationOrAll) {
  const auto one = ask({"describe", "-a", "ranking"});
  const auto all = ask({"describe"});

  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out,
              AllOf(HasSubstr("Topologies:\n   Sub-topology: 0"), Not(HasSubstr("Application:"))));
  EXPECT_THAT(all.out, AllOf(HasSubstr("Application: order-service\n"),
                             HasSubstr("Application: ranking\nTopologies:")));
}

TEST_F(Live, ADescriptionOfARunningApplicationIsTheSameAsItself) {
  const auto json = ask({"describe", "--json"});

  const auto same = ask({"topology", "diff", "-", url()}, json.out);
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, HasSubstr("stay as they are\n"));
}

TEST_F(Live, TopicsAreListedWithTheirSizes) {
  const auto ran = ask({"topics", "list"});
  const auto internal = ask({"topics", "list", "--internal", "--json"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("TOPIC"), HasSubstr("users "), Not(HasSubstr("-changelog"))));
  EXPECT_THAT(internal.out, HasSubstr("-changelog"));
}

TEST_F(Live, WhatIsProducedIsReadAndSeenInItsStore) {
  const auto sent = ask({"topics", "produce", "users", "-k", "grace", "-v",
                         R"({"email":"grace@example.com","age":45,"gender":"female"})"});
  ASSERT_EQ(sent.code, 0) << sent.err;
  EXPECT_THAT(sent.out, HasSubstr("users "));

  const auto record =
      ask({"topics", "tail", "users", "--from-beginning", "--key", "grace", "--json"});
  EXPECT_EQ(record.code, 0) << record.err;
  EXPECT_EQ(record.json().at("value").at("email").as_string(), "grace@example.com");

  const auto row = ask_until({"stores", "get", "users", "grace", "-a", "order-service", "--json"},
                             [](const Ran& ran) { return ran.code == 0; });
  EXPECT_EQ(row.code, 0) << row.err;
  EXPECT_EQ(row.json().at("value").at("age").as_int64(), 45);
}

TEST_F(Live, TheNewestOfAKeyAreFoundHoweverFarBack) {
  ASSERT_EQ(
      ask({"topics", "produce", "view-log-late", "-k", "first", "-v", "mine", "-p", "0"}).code, 0);
  std::string others;
  for (int i = 0; i < 1'100; ++i) others += "other|theirs\n";
  ASSERT_EQ(ask({"topics", "produce", "view-log-late", "-K", "|", "-p", "0"}, others).code, 0);

  const auto found = ask({"topics", "tail", "view-log-late", "--key", "first", "-n", "1"});
  ASSERT_EQ(found.code, 0) << found.err;
  EXPECT_THAT(found.out, AllOf(HasSubstr("mine"), Not(HasSubstr("theirs"))));

  const auto followed =
      ask({"topics", "tail", "view-log-late", "-f", "-n", "1", "-c", "1", "--key", "first"});
  EXPECT_EQ(followed.out, found.out);

  const auto newest = ask({"topics", "tail", "view-log-late", "-n", "3"});
  EXPECT_EQ(std::ranges::count(newest.out, '\n'), 3);
}

TEST_F(Live, AnEmptyKeyIsAKey) {
  ASSERT_EQ(ask({"topics", "produce", "view-log-late", "-k", "some", "-v", "thing"}).code, 0);

  const auto none = ask({"topics", "tail", "view-log-late", "-b", "--key", ""});

  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.out, IsEmpty());
}

TEST_F(Live, AValueAsDeepAsATopicTakesIsRead) {
  const std::string deep = std::string(63, '[') + std::string(63, ']');
  const auto sent = ask({"topics", "produce", "view-log-late", "-k", "deep", "-v", deep});
  ASSERT_EQ(sent.code, 0) << sent.err;

  const auto ran = ask({"topics", "tail", "view-log-late", "--key", "deep"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(deep));
}

TEST_F(Live, OfTheWindowsOfAKeyAsManyAreShownAsAskedFor) {
  std::string views;
  for (const char* minute : {"00", "01", "02"}) {
    views += std::string(R"(sofa|{"productId":"sofa","at":"2026-03-01T10:)") + minute + ":00Z\"}\n";
  }
  ASSERT_EQ(ask({"topics", "produce", "view-log-topic", "-K", "|"}, views).code, 0);
  const auto all =
      ask_until({"stores", "get", "views-by-minute", "sofa", "--limit", "3"},
                [](const Ran& ran) { return ran.out.find("10:02:00.000Z") != std::string::npos; });
  EXPECT_THAT(all.out, AllOf(HasSubstr("10:00:00.000Z"), HasSubstr("10:02:00.000Z")));
  EXPECT_THAT(all.err, IsEmpty());

  const auto one = ask({"stores", "get", "views-by-minute", "sofa", "--limit", "1"});

  EXPECT_THAT(one.out, AllOf(HasSubstr("10:00:00.000Z"), Not(HasSubstr("10:01:00.000Z"))));
  EXPECT_THAT(one.err, HasSubstr("--limit"));
}

TEST_F(Live, AScanOfWindowsIsRefusedWithTheCommandThatReadsThem) {
  for (const char* command : {"scan", "dump"}) {
    const auto ran = ask({"stores", command, "views-by-minute"});

    EXPECT_EQ(ran.code, 65);
    EXPECT_THAT(ran.err, HasSubstr("thalweg stores get STORE KEY --from --to"));
  }
}

TEST_F(Live, LinesOfStandardInputAreRecords) {
  const auto sent = ask({"topics", "produce", "users", "-K", "|"},
                        "kay|{\"email\":\"kay@example.com\",\"age\":20,\"gender\":\"other\"}\n"
                        "lee|{\"email\":\"lee@example.com\",\"age\":21,\"gender\":\"other\"}\n");
  const auto wrong = ask({"topics", "produce", "users", "-K", "|"}, "no separator here\n");

  EXPECT_EQ(sent.code, 0) << sent.err;
  EXPECT_EQ(std::ranges::count(sent.out, '\n'), 2);
  EXPECT_EQ(wrong.code, 65);
  EXPECT_THAT(wrong.err, HasSubstr("no separator '|'"));
}

TEST_F(Live, AFaultIsToldWithItsLineAndWithWhatWasWrittenBefore) {
  std::string lines;
  for (int i = 1; i <= 600; ++i) {
    const std::string good = R"({"email":"crowd@example.com","age":20,"gender":"other"})";
    lines += "crowd-" + std::to_string(i) + '|' + (i == 550 ? "[]" : good) + '\n';
  }

  const auto ran = ask({"topics", "produce", "users", "-K", "|"}, lines);

  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("line 550: value: "),
                             HasSubstr("500 records were written, up to line 500"),
                             Not(HasSubstr("nothing was written"))));
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 500);
}

TEST_F(Live, WhatComesBeforeALineThatIsNoRecordIsWritten) {
  const auto ran = ask({"topics", "produce", "external-events.dlq", "-K", "|"},
                       "early|1\n\nearly|2\nno separator here\nlate|3\n");

  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("line 4: no separator '|'"),
                             HasSubstr("2 records were written, up to line 3")));
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2);
  const auto late = ask({"topics", "tail", "external-events.dlq", "-b", "--key", "late"});
  EXPECT_THAT(late.out, IsEmpty());
}

TEST_F(Live, LongLinesAreSentOneByOneWhenTheyDoNotFitTogether) {
  const auto ran = ask({"topics", "produce", "external-events.dlq"},
                       std::string(500'000, 'x') + '\n' + std::string(700'000, 'y') + '\n');

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2);
}

TEST_F(Live, BytesThatAreNoTextAreWrittenAsTheyAre) {
  const auto sent =
      ask({"topics", "produce", "external-events.dlq", "-p", "1", "-K", "|", "-H", "raw=\xff"},
          "k\xff|v\xfe\n");
  ASSERT_EQ(sent.code, 0) << sent.err;

  const auto ran =
      ask({"topics", "tail", "external-events.dlq", "-p", "1", "-n", "1", "--json"}).json();
  EXPECT_EQ(ran.at("key").as_string(), "a/8=");
  EXPECT_EQ(ran.at("key_encoding").as_string(), "base64");
  EXPECT_EQ(ran.at("value").as_string(), "dv4=");
  EXPECT_EQ(ran.at("value_encoding").as_string(), "base64");
  EXPECT_THAT(boost::json::serialize(ran.at("headers")), HasSubstr("/w=="));
}

TEST_F(Live, AValueOverSeveralLinesIsOneRecord) {
  const auto ran = ask({"topics", "produce", "external-events.dlq", "-v", "{\n \"a\": 1\n}"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 1);
}

TEST_F(Live, LinesAreWrittenWhileTheInputIsStillOpen) {
  const end_to_end::TemporaryDirectory directory;
  const std::string story =
      "cd " + directory.path().string() +
      "; mkfifo in; " THALWEG_CLI_BINARY " topics produce external-events.dlq --url " + url() +
      " < in > out & exec 3> in; echo first >&3; "
      "until grep -q external out; do :; done; exec 3>&-; wait";

  // If the record waits for more of them, the story waits for ever.
  EXPECT_EQ(std::system(("timeout 60 bash -c '" + story + "'").c_str()), 0);
}

TEST_F(Live, ARecordThatDoesNotFitItsSchemaIsNotWritten) {
  const auto ran = ask({"topics", "produce", "order-events", "-k", "o", "-v", R"({"no":"order"})"});

  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, HasSubstr("value"));
}

TEST_F(Live, StoresAreListedReadAndDumped) {
  const auto list = ask({"stores", "list", "-a", "order-service"});
  const auto row = ask({"stores", "get", "stock", "lamp", "--json"});
  const auto table = ask({"stores", "scan", "stock", "--prefix", "la"});
  const auto dump = ask({"stores", "dump", "users", "-a", "order-service"});

  EXPECT_THAT(list.out, AllOf(HasSubstr("STORE"), HasSubstr("stock"), HasSubstr("key-value")));
  EXPECT_EQ(row.json().at("value").at("stocked").as_int64(), 10) << row.out;
  EXPECT_THAT(table.out, AllOf(HasSubstr("PARTITION"), HasSubstr("lamp")));
  EXPECT_THAT(dump.out, HasSubstr(R"({"key":"ada")"));
}

TEST_F(Live, WhatIsNotThereIsSaidWithANearName) {
  const auto no_key = ask({"stores", "get", "stock", "sofa"});
  const auto no_store = ask({"stores", "get", "stok", "lamp"});
  const auto no_topic = ask({"topics", "tail", "userz"});

  EXPECT_EQ(no_key.code, 1);
  EXPECT_THAT(no_key.err, HasSubstr("no key 'sofa'"));
  EXPECT_EQ(no_store.code, 66);
  EXPECT_THAT(no_store.err, HasSubstr("did you mean 'stock'?"));
  EXPECT_EQ(no_topic.code, 66);
  EXPECT_THAT(no_topic.err, HasSubstr("did you mean 'users'?"));
}

TEST_F(Live, AnUnknownTopicIsAnsweredWithAFewNamesAtMost) {
  const auto ran = ask({"topics", "tail", "nothing-like-any-of-them"});

  EXPECT_EQ(ran.code, 66);
  EXPECT_LT(ran.err.size(), 600u) << ran.err;
}

TEST_F(Live, ANumberThatIsNoPartitionIsNamedAsItWasGiven) {
  const auto ran = ask({"topics", "tail", "users", "-p", "4294967296"});

  EXPECT_EQ(ran.code, 65);
  EXPECT_THAT(ran.err, HasSubstr("partition=4294967296 cannot be"));
}

TEST_F(Live, EachDeadLetterIsTriedWhateverBecomesOfTheOthers) {
  receiver().behave({.fail_next = 2, .fail_status = 400});
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(customer().end_of(customer().order("ada", "lamp", 1)), end_to_end::completed());
  }
  const auto listed = ask_until({"dlq", "list", "--json"}, [](const Ran& ran) {
    return ran.code == 0 && ran.json().as_array().size() == 2;
  });
  ASSERT_THAT(listed.json().as_array(), SizeIs(2)) << listed.out;
  const std::string first(listed.json().at(0).at("id").as_string());
  const std::string second(listed.json().at(1).at("id").as_string());

  const auto shown = ask({"dlq", "show", "nothing", first});
  EXPECT_EQ(shown.code, 1);
  EXPECT_THAT(shown.out, HasSubstr(first));
  const auto ran = ask({"dlq", "discard", first, "nothing", second});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("no dead letter nothing"));
  EXPECT_EQ(ran.out, first + " is discarded\n" + second + " is discarded\n");

  const auto empty = ask_until({"dlq", "list"}, [](const Ran& now) { return now.out.empty(); });
  EXPECT_THAT(empty.out, IsEmpty());
}

TEST_F(Live, ADeadLetterIsShownAndSentAgain) {
  receiver().behave({.fail_next = 1, .fail_status = 400});
  const auto order = customer().order("ada", "lamp", 1);
  ASSERT_EQ(customer().end_of(order), end_to_end::completed());

  const auto listed =
      ask_until({"dlq", "list", "--json"}, [](const Ran& ran) { return ran.out.size() > 3; });
  ASSERT_EQ(listed.code, 0) << listed.err;
  ASSERT_THAT(listed.json().as_array(), SizeIs(1)) << listed.out;
  const std::string id(listed.json().at(0).at("id").as_string());
  const auto shown = ask({"dlq", "show", id});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("lastError"), HasSubstr(order)));

  const auto sent = ask({"dlq", "retry", id});
  EXPECT_EQ(sent.code, 0) << sent.err;

  const auto empty = ask_until({"dlq", "list"}, [](const Ran& ran) { return ran.out.empty(); });
  EXPECT_THAT(empty.out, IsEmpty());
  EXPECT_THAT(empty.err, HasSubstr("no dead letters"));
  EXPECT_EQ(ask({"dlq", "discard", id}).code, 65) << "it is no dead letter any more";
  EXPECT_EQ(ask({"dlq", "show", "nothing"}).code, 1);
}

}  // namespace
}  // namespace thalweg::cli_story
