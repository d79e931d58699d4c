// A production exception handler that asks for another attempt (KIP-1065): the transaction is
// aborted, and what it read is processed again.

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

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
class Retries : public ::testing::Test {
 protected:
  Retries() {
    log_->create_topic({.name = "in", .partitions = 1});
    client_ = log_->producer({.client_id = "test"});
    client_->init();
    client_->begin();
    const TopicHandle topic = client_->topic("in");
    for (const char* value : {"a", "b", "c"}) {
      EXPECT_TRUE(client_->send(topic, 0, "k", value, clock_.wall_clock(), {}));
    }
    client_->commit();
  }

  void run() {
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
    process_ = std::make_unique<SimulatedProcess>(*log_, storage_, clock_,
                                                  std::vector{std::move(spec)}, random_);
    run_until_idle(clock_, [this] {
      const bool worked = log_->step();
      return process_->step_all() || worked;
    });
  }
  std::vector<Text> out() {
    std::vector<Text> values;
    for (const LoggedRecord& record : read_topic(*log_, clock_, "out")) {
      values.push_back(*record.value);
    }
    return values;
  }

  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  SimulatedStorage storage_;
  std::unique_ptr<LogProducer> client_;
  std::shared_ptr<int> failures_ = std::make_shared<int>(2);
  std::shared_ptr<Patient> handler_ = std::make_shared<Patient>();
  std::unique_ptr<SimulatedProcess> process_;
};

TEST_F(Retries, LeaveEachRecordCountedAndWrittenOnce) {
  run();

  EXPECT_THAT(out(), ElementsAre("1:a", "2:b", "3:c"));
  EXPECT_EQ(handler_->asked, 2);
}

TEST_F(Retries, AreNotMadeForOneWhoSaysFail) {
  handler_->answer = FailureHandling::kFail;

  EXPECT_THAT([this] { run(); },
              ThrowsMessage<std::runtime_error>(HasSubstr("the registry does not answer")));
  EXPECT_EQ(handler_->asked, 1);
}

}  // namespace
}  // namespace thalweg::simulation
