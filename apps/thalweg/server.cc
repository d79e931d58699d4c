#include "server.h"

#include <cctype>
#include <future>

#include <boost/json.hpp>

#include <thalweg/runtime/json_text.h>

#include "exit_codes.h"

namespace thalweg::cli {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kReplyBytesMax = 256u << 20;
/// What an application takes may be nested as deep as kJsonDepthMax, and its answers hold that some
/// levels further down.
constexpr std::size_t kReplyDepthMax = 16 * kJsonDepthMax;

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || kPlain.find(c) != kPlain.npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string member(const boost::json::object* problem, std::string_view name) {
  const auto* value = problem ? problem->if_contains(name) : nullptr;
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

int exit_code_of(int status, std::string_view code) {
  if (code == "not_found") return kNotThere;
  if (status == 404) return kUnknownName;
  if (status == 401 || status == 403) return kRefused;
  if (status == 503 || status == 429) return kUnavailable;
  return status / 100 == 4 ? kBadData : kFailed;
}

/// What an answer that is no success says, in its own words.
CommandError error_of(const OutsideReply& reply, const std::string& url,
                      const std::string& target) {
  const auto parsed = parse_json(reply.body);  // A problem is flat.
  const auto* problem = parsed ? parsed->if_object() : nullptr;
  const std::string code = member(problem, "code");
  std::string detail = member(problem, "detail");
  std::string hint = member(problem, "hint");
  if (detail.empty()) detail = url + target + " answers " + std::to_string(reply.status);
  // The application tells of its header; here is an option for that.
  if (reply.status == 401) hint = "give a token with --token or THALWEG_TOKEN";
  // What HTTP has for it is another command here.
  if (code == "wrong_store_type" && !hint.empty()) {
    hint = "`thalweg stores get STORE KEY --from --to` reads the windows or sessions of one key";
  }
  if (hint.empty() && reply.status == 404 && !problem)
    hint = "is " + url + " a Thalweg application?";
  return {exit_code_of(reply.status, code), detail, hint};
}

}  // namespace

Target::Target(std::initializer_list<std::string_view> segments) {
  for (const auto segment : segments) text_ += '/' + percent_encoded(segment);
}

Target& Target::with(std::string_view name, std::string_view value) {
  text_ += std::exchange(before_, '&');
  text_ += std::string(name) + '=' + percent_encoded(value);
  return *this;
}

Target& Target::with_any(std::string_view name, std::string_view value) {
  return value.empty() ? *this : with(name, value);
}

Target& Target::with_escaped(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += std::exchange(before_, '&');
  text_ += std::string(name) + '=' + std::string(value);
  return *this;
}

Server::Server(const std::string& url, std::string token) : url_(url), token_(std::move(token)) {
  auto parsed = OutsideUrl::parse(url);
  if (!parsed) {
    throw CommandError(kUsage, parsed.error().message,
                       "name the application as http://HOST:PORT, with --url or THALWEG_URL");
  }
  base_ = *std::move(parsed);
  while (url_.ends_with('/')) url_.pop_back();
}

Server::~Server() = default;

OutsideReply Server::exchange(OutsideRequest request, const Target& target) {
  request.url = base_;
  request.url.path += target.text();
  request.timeout = kPatience;
  request.reply_bytes_max = kReplyBytesMax;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  std::promise<std::expected<OutsideReply, std::string>> promise;
  auto answered = promise.get_future();
  client_.send(std::move(request), [&promise](std::expected<OutsideReply, std::string> reply) {
    promise.set_value(std::move(reply));
  });
  auto reply = answered.get();
  if (reply) return *std::move(reply);
  throw CommandError(kUnavailable, "no answer from " + url_ + ": " + reply.error(),
                     "is the application running? --url or THALWEG_URL says where; --data-dir "
                     "looks into what a stopped one left");
}

OutsideReply Server::get(const Target& target) {
  auto reply = exchange({.method = "GET"}, target);
  if (!reply.ok()) throw error_of(reply, url_, target.text());
  return reply;
}

boost::json::value Server::get_json(const Target& target) {
  const auto reply = get(target);
  auto parsed = parse_json(reply.body, kReplyDepthMax);
  if (parsed) return *std::move(parsed);
  throw CommandError(kFailed,
                     url_ + target.text() + " does not answer with JSON: " + parsed.error().message,
                     "is " + url_ + " a Thalweg application?");
}

std::optional<OutsideReply> Server::find(const Target& target, std::string_view code) {
  auto reply = exchange({.method = "GET"}, target);
  if (reply.ok()) return reply;
  const auto parsed = parse_json(reply.body);
  if (parsed && member(parsed->if_object(), "code") == code) return std::nullopt;
  throw error_of(reply, url_, target.text());
}

OutsideReply Server::post(const Target& target, std::string body, std::string content_type,
                          std::string idempotency_key) {
  OutsideRequest request{.method = "POST", .body = std::move(body)};
  if (!content_type.empty()) request.headers.emplace_back("Content-Type", std::move(content_type));
  if (!idempotency_key.empty()) {
    request.headers.emplace_back("Idempotency-Key", std::move(idempotency_key));
  }
  auto reply = exchange(std::move(request), target);
  if (!reply.ok()) throw error_of(reply, url_, target.text());
  return reply;
}

}  // namespace thalweg::cli
