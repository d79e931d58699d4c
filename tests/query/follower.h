#pragma once

#include <cstdint>
#include <string>

#include "query/raw_client.h"

namespace thalweg::testing {

/// A client that follows a store. Its reads block until the server sends.
class Follower {
 public:
  struct Event {
    std::string name;  ///< Empty: a row.
    std::string id;
    std::string data;
  };

  Follower(std::uint16_t port, const std::string& target, const std::string& headers = "")
      : client_(port) {
    // Without chunks, as they were before HTTP/1.1.
    client_.send("GET " + target + " HTTP/1.0\r\n" + headers + "\r\n");
  }

  /// The head of the answer; all of it when there is no stream.
  std::string head() { return client_.read_until("\r\n\r\n"); }
  /// The next event that says something; ids alone are noted.
  Event next() {
    for (;;) {
      const std::string text = client_.read_until("\n\n");
      if (text.empty()) return {.name = "(the end)", .id = {}, .data = {}};
      Event event{field(text, "event: "), field(text, "id: "), field(text, "data: ")};
      if (!event.id.empty()) last_id_ = event.id;
      if (!event.data.empty()) return event;
    }
  }
  /// Returns once the server has told where the client is, so that what changes now is news.
  void is_following() {
    while (last_id_.empty()) last_id_ = field(client_.read_until("\n\n"), "id: ");
  }
  const std::string& last_id() const { return last_id_; }

 private:
  static std::string field(const std::string& text, const std::string& name) {
    const auto begin = text.rfind(name, 0) == 0 ? 0 : text.find("\n" + name);
    if (begin == text.npos) return {};
    const auto value = text.find(name, begin) + name.size();
    return text.substr(value, text.find('\n', value) - value);
  }

  RawClient client_;
  std::string last_id_;
};

}  // namespace thalweg::testing
