// A production exception handler that asks for another attempt (KIP-1065): the transaction is
// aborted, and what it read is processed again.

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Text = std::string;

/// Cannot write some values the first few times.
struct Unsteady {
  std::shared_ptr<int> failures;

  void serialize(const Text& value, std::string& out) const {
    if (value == "2:b" && *failures > 0) {
      --*failures;
      throw SerdeError("the registry does not answer");
    }
    out += value;
  }
  static void deserialize(BytesView bytes, Text& out) { out.assign(bytes); }
  static SchemaPtr schema() { return Serde<Text>::schema(); }
};

struct Patient final : ProductionExceptionHandler {
  FailureHandling handle(const ErrorContext&, const std::exception&) override {
    ++asked;
    return answer;
  }
  FailureHandling answer = FailureHandling::kRetry;
  int asked = 0;
};

/// Three records are numbered by a processor with a store, and written by a serde that fails twice.
class Retries : public ProcessStory {
 protected:
  Retries() {
    create_topics({"in"});
    write("in", {"a", "b", "c"});
  }

  void begin() {
    ApplicationSpec spec{simulation_config("numbers", 1), [failures = failures_] {
                           StreamsBuilder builder;
                           builder.stream<Text, Text>("in")
                               .group_by_key()
                               .aggregate([] { return Text("0:"); },
                                          [](const Text&, const Text& value, const Text& so_far) {
                                            return std::to_string(std::stoi(so_far) + 1) + ":" +
                                                   value;
                                          },
                                          {.store = "numbers", .caching = false})
                               .to_stream()
                               .to("out", {.value_serde = OptionalSerde<Text>(Unsteady{failures})});
                           return builder.build();
                         }};
    spec.config.production_exception_handler = handler_;
    start(std::move(spec));
    rest();
  }

  std::shared_ptr<int> failures_ = std::make_shared<int>(2);
  std::shared_ptr<Patient> handler_ = std::make_shared<Patient>();
};

TEST_F(Retries, LeaveEachRecordCountedAndWrittenOnce) {
  begin();

  EXPECT_THAT(values_of("out"), ElementsAre("1:a", "2:b", "3:c"));
  EXPECT_EQ(handler_->asked, 2);
}

TEST_F(Retries, AreNotMadeForOneWhoSaysFail) {
  handler_->answer = FailureHandling::kFail;

  EXPECT_THAT([this] { begin(); },
              ThrowsMessage<std::runtime_error>(HasSubstr("the registry does not answer")));
  EXPECT_EQ(handler_->asked, 1);
}

}  // namespace
}  // namespace thalweg::simulation
