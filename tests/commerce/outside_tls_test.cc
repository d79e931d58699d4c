// Calls over TLS: to whom they are made, and to whom they are not.

#include <fstream>
#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certificates.h"
#include "contract/log_fixture.h"
#include "outside_client.h"
#include "tls_server.h"

namespace thalweg::shop {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Reply = std::expected<OutsideReply, std::string>;
using namespace std::chrono_literals;

class CallingOverTls : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = directory_.path() + '/' + name;
    std::ofstream(path) << text;
    return path;
  }
  static std::future<Reply> send(OutsideClient& client, const TlsServer& server,
                                 const std::string& host = "localhost",
                                 std::chrono::milliseconds timeout = 30s) {
    const auto url =
        OutsideUrl::parse("https://" + host + ':' + std::to_string(server.port()) + "/hooks");
    std::promise<Reply> promise;
    auto future = promise.get_future();
    client.send({.url = url.value(), .body = "{}", .timeout = timeout},
                [promise = std::move(promise)](Reply reply) mutable {
                  promise.set_value(std::move(reply));
                });
    return future;
  }

  testing::TemporaryDirectory directory_;
  const Certificate authority_ = make_authority("The shop's own authority");
  const Certificate certificate_ = make_certificate("localhost", authority_);
  const std::string ca_file_ = write("ca.pem", authority_.certificate);
};

TEST_F(CallingOverTls, ReachesAServerWhoseAuthorityIsKnown) {
  const TlsServer server(certificate_);
  OutsideClient client(4, ca_file_);
  const auto reply = send(client, server).get();

  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "{}");
  EXPECT_EQ(server.asked_for(), "localhost") << "one server may have many names";
}

TEST_F(CallingOverTls, UsesAConnectionAgain) {
  const TlsServer server(certificate_);
  OutsideClient client(4, ca_file_);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(send(client, server).get());

  EXPECT_EQ(server.requests(), 10);
  EXPECT_EQ(server.handshakes(), 1);
}

TEST_F(CallingOverTls, AgreesAnewWithAServerThatHasClosedTheConnection) {
  const TlsServer server(certificate_, TlsServer::Manner::kClosesAfter);
  OutsideClient client(4, ca_file_);
  for (int i = 0; i < 3; ++i) {
    const auto reply = send(client, server).get();
    ASSERT_TRUE(reply) << reply.error();
  }

  EXPECT_EQ(server.requests(), 3);
  EXPECT_EQ(server.handshakes(), 3);
}

TEST_F(CallingOverTls, KnowsAnAddressInACertificate) {
  const TlsServer server(make_certificate("127.0.0.1", authority_));
  OutsideClient client(4, ca_file_);

  EXPECT_TRUE(send(client, server, "127.0.0.1").get());
  EXPECT_EQ(server.asked_for(), "") << "addresses are no names";
}

TEST_F(CallingOverTls, SendsNothingToAServerOfAnotherName) {
  const TlsServer server(make_certificate("shop.example", authority_));
  OutsideClient client(4, ca_file_);
  const auto by_name = send(client, server).get();
  const auto by_address = send(client, server, "127.0.0.1").get();

  ASSERT_FALSE(by_name);
  EXPECT_EQ(by_name.error(), "the certificate of localhost is not trusted: hostname mismatch");
  ASSERT_FALSE(by_address);
  EXPECT_EQ(by_address.error(), "the certificate of 127.0.0.1 is not trusted: IP address mismatch");
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(CallingOverTls, SendsNothingToAServerWhoseAuthorityIsUnknown) {
  const TlsServer server(certificate_);
  OutsideClient with_system(4);
  OutsideClient with_another(4, write("other.pem", make_authority("Another").certificate));
  for (auto* client : {&with_system, &with_another}) {
    const auto reply = send(*client, server).get();
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error(), StartsWith("the certificate of localhost is not trusted: "));
  }
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(CallingOverTls, SendsNothingToAServerThatSignsForItself) {
  const TlsServer server(make_authority("localhost"));
  OutsideClient client(4, ca_file_);
  const auto reply = send(client, server).get();

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), "the certificate of localhost is not trusted: self-signed certificate");
}

TEST_F(CallingOverTls, WaitsNoLongerForAHandshakeThanItWasTold) {
  const TlsServer server(certificate_, TlsServer::Manner::kSilent);
  OutsideClient client(4, ca_file_);
  const auto reply = send(client, server, "localhost", 100ms).get();

  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), "agreeing on TLS: no answer within 100 ms");
}

TEST_F(CallingOverTls, AnswersEverybodyWhenItClosesDuringHandshakes) {
  const TlsServer server(certificate_, TlsServer::Manner::kSilent);
  std::vector<std::future<Reply>> replies;
  {
    OutsideClient client(2, ca_file_);
    for (int i = 0; i < 5; ++i) replies.push_back(send(client, server, "localhost", 60s));
  }
  for (auto& reply : replies) EXPECT_FALSE(reply.get());
}

TEST_F(CallingOverTls, NamesAFileOfAuthoritiesThatIsNone) {
  const TlsServer server(certificate_);
  OutsideClient client(4, directory_.path() + "/none.pem");
  const auto reply = send(client, server).get();

  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error(), HasSubstr("none.pem cannot be read: No such file or directory"));
  EXPECT_TRUE(check_ca_file(ca_file_));
  EXPECT_FALSE(check_ca_file(directory_.path()));
  EXPECT_FALSE(check_ca_file(write("empty.pem", "")));
  EXPECT_THAT(check_ca_file(write("text.pem", "no certificate")).error().message,
              HasSubstr("text.pem holds no certificates in PEM"));
}

}  // namespace
}  // namespace thalweg::shop
