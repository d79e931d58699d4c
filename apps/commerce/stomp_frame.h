#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace thalweg::shop {

/// A frame of STOMP 1.2: a command, headers, a body.
struct StompFrame {
  std::string command;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};

  /// The first header of that name, which is the one that counts; empty: none.
  std::string_view header(std::string_view name) const;
};

/// Reads one frame, with or without the NUL at its end. The error says what is wrong with it. A
/// heart-beat, which is nothing but line ends, is a frame without a command.
std::expected<StompFrame, std::string> parse_stomp(std::string_view text);

/// The frame as it is sent, with its NUL.
std::string to_text(const StompFrame& frame);

}  // namespace thalweg::shop
