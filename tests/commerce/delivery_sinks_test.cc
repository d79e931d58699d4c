// The receivers of processed orders, each as it is reached: a server, files, a bucket.

#include "delivery_sinks.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/log_fixture.h"
#include "s3_stub.h"
#include "stub_receiver.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using Answer = internal::AsyncAnswer<std::int32_t>;
using namespace std::chrono_literals;

constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG";

/// Gives `request` to `send` and waits for what comes of it.
Answer deliver(const DeliverySend& send, DeliveryRequest request) {
  auto answered = std::make_shared<std::promise<void>>();
  auto inbox =
      std::make_shared<internal::AsyncInbox<std::int32_t>>([answered] { answered->set_value(); });
  const std::string lane = request.lane;
  send(DeliveryCall({.key = lane, .value = std::move(request), .timeout = 30s}, inbox));
  answered->get_future().wait();
  return inbox->take().at(0);
}

class ReceiversOfProcessedOrders : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.start()); }
  DeliveryConfig config() const {
    DeliveryConfig config;
    config.order_processed_url =
        "http://127.0.0.1:" + std::to_string(server_.port()) + "/webhooks/orders";
    config.order_processed_directory = directory_.path() + "/orders";
    config.order_processed_s3 = {
        .url = "http://127.0.0.1:" + std::to_string(bucket_.port()) + "/orders/from=shop",
        .region = "eu-central-1",
        .access_key = "AKIASHOP",
        .secret_key = kSecret};
    return config;
  }
  static DeliveryRequest request(Receiver receiver, const std::string& id = "o1") {
    DeliveryRequest request;
    request.id = "id-of-" + id;
    request.lane = id;
    request.order_id = id;
    request.source = topics::kOrderProcessed;
    request.receiver = receiver;
    request.path = path_at(receiver, id, "2026-11-22");
    request.payload = R"({"orderId":")" + id + R"(","finalAmount":60})";
    return request;
  }
  std::string text_of(const std::string& path) const {
    std::ifstream file(directory_.path() + path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TemporaryDirectory directory_;
  stub_receiver::StubReceiver server_;
  S3Stub bucket_{"AKIASHOP", kSecret};
};

TEST_F(ReceiversOfProcessedOrders, AreThoseThatAreConfigured) {
  EXPECT_THAT(receivers_of(config()),
              ElementsAre(Pair("order.processed",
                               ElementsAre(Receiver::HTTP, Receiver::FILES, Receiver::S3))));
  DeliveryConfig files_only;
  files_only.order_processed_directory = directory_.path();
  EXPECT_THAT(receivers_of(files_only),
              ElementsAre(Pair("order.processed", ElementsAre(Receiver::FILES))));
}

TEST_F(ReceiversOfProcessedOrders, GetTheirDeliveriesAndNoOthers) {
  const auto send = send_to_receivers(config());
  EXPECT_EQ(deliver(send, request(Receiver::HTTP, "o1")).response, 200);
  EXPECT_EQ(deliver(send, request(Receiver::FILES, "o2")).response, 200);
  EXPECT_EQ(deliver(send, request(Receiver::S3, "o3")).response, 200);

  EXPECT_THAT(server_.arrivals(), ElementsAre("id-of-o1"));
  EXPECT_EQ(text_of("/orders/date=2026-11-22/000001.ndjson"), R"({"orderId":"o2","finalAmount":60})"
                                                              "\n");
  EXPECT_THAT(bucket_.objects(), ElementsAre(Pair("/orders/from%3Dshop/date%3D2026-11-22/o3.json",
                                                  R"({"orderId":"o3","finalAmount":60})")));
}

TEST_F(ReceiversOfProcessedOrders, AreNotAskedOnceTheyAreConfiguredNoMore) {
  const auto send = send_to_receivers({});
  for (const auto receiver : {Receiver::HTTP, Receiver::FILES, Receiver::S3}) {
    const Answer answer = deliver(send, request(receiver));
    EXPECT_EQ(answer.error, "there is no receiver any more");
    EXPECT_TRUE(answer.is_final);
  }
}

TEST_F(ReceiversOfProcessedOrders, LeaveNothingWhereNobodyDelivers) {
  { const auto send = send_to_receivers(config()); }
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/orders"));
}

TEST_F(ReceiversOfProcessedOrders, TakeWhateverIdAnOrderHas) {
  const auto send = send_to_receivers(config());
  for (const std::string id : {"a b", "a/b", "a%2Fb", "../../x", "..", "\xc3\xb6+~*'"}) {
    EXPECT_EQ(deliver(send, request(Receiver::S3, id)).response, 200) << id;
  }

  EXPECT_THAT(bucket_.complaints(), IsEmpty());
  EXPECT_THAT(bucket_.objects(), SizeIs(6)) << "none is taken for another";
  const std::string day = "/orders/from%3Dshop/date%3D2026-11-22/";
  EXPECT_TRUE(bucket_.objects().contains(day + "a%20b.json"));
  EXPECT_TRUE(bucket_.objects().contains(day + "..%252F..%252Fx.json"));
}

TEST_F(ReceiversOfProcessedOrders, MayFailForAWhileOrForGood) {
  const auto send = send_to_receivers(config());
  bucket_.fail_next(1);
  const Answer busy = deliver(send, request(Receiver::S3));
  EXPECT_EQ(busy.error, "the receiver answered 503");
  EXPECT_FALSE(busy.is_final);
  EXPECT_EQ(deliver(send, request(Receiver::S3)).response, 200);

  DeliveryConfig wrong = config();
  wrong.order_processed_s3.secret_key = "another";
  const Answer refused = deliver(send_to_receivers(wrong), request(Receiver::S3));
  EXPECT_EQ(refused.error, "the receiver answered 403");
  EXPECT_TRUE(refused.is_final);
  EXPECT_THAT(bucket_.complaints(), ElementsAre(HasSubstr("the signature is")));
}

TEST_F(ReceiversOfProcessedOrders, WriteNoFilesOutsideTheirDirectory) {
  const auto send = send_to_receivers(config());
  for (const char* path : {"", "/date=", "/date=../..", "/../x", "/date=2026-11-22/x"}) {
    DeliveryRequest bad = request(Receiver::FILES);
    bad.path = path;
    const Answer answer = deliver(send, bad);
    EXPECT_THAT(answer.error, HasSubstr("there are no files of"));
    EXPECT_TRUE(answer.is_final);
  }
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/orders"));
}

}  // namespace
}  // namespace thalweg::shop
