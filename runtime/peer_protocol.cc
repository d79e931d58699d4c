#include "peer_protocol.h"

#include <cstring>

#include "query/query_text.h"

namespace thalweg::internal {

namespace {

std::string view_target(std::string_view application, std::string_view store,
                        std::int32_t partition) {
  return "/v1/views/" + percent_encoded(store) + "/" + std::to_string(partition) +
         "?application=" + percent_encoded(application);
}

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(bytes, true, text);
  return text;
}

template <typename T>
void append_number(T number, std::string& out) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

template <typename T>
bool take_number(std::string_view& in, T& number) {
  if (in.size() < sizeof number) return false;
  std::memcpy(&number, in.data(), sizeof number);
  in.remove_prefix(sizeof number);
  return true;
}

void append_text(std::string_view text, std::string& out) {
  append_number(static_cast<std::uint32_t>(text.size()), out);
  out += text;
}

bool take_text(std::string_view& in, std::string& text) {
  std::uint32_t size = 0;
  if (!take_number(in, size) || in.size() < size) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace

std::string peer_get_target(std::string_view application, std::string_view store,
                            std::int32_t partition, BytesView key) {
  return view_target(application, store, partition) + "&key=" + base64(key);
}

std::string peer_scan_target(std::string_view application, std::string_view store,
                             std::int32_t partition, const StoreView::Scan& scan) {
  std::string target = view_target(application, store, partition);
  target += "&limit=" + std::to_string(scan.limit);
  if (scan.reverse) target += "&reverse=true";
  if (scan.from) target += "&from=" + base64(*scan.from);
  if (scan.to) target += "&to=" + base64(*scan.to);
  return target;
}

std::string peer_position_target(std::string_view application, const TopicPartition& input,
                                 Offset passed) {
  return "/v1/positions/" + percent_encoded(input.topic) + "/" + std::to_string(input.partition) +
         "?application=" + percent_encoded(application) + "&passed=" + std::to_string(passed);
}

void append_peer_row(const StoredEntry& row, std::string& out) {
  append_text(row.key, out);
  append_number(to_millis(row.timestamp), out);
  append_text(row.value, out);
}

std::optional<std::vector<StoredEntry>> read_peer_rows(std::string_view body) {
  std::vector<StoredEntry> rows;
  while (!body.empty()) {
    StoredEntry& row = rows.emplace_back();
    std::int64_t millis = 0;
    if (!take_text(body, row.key) || !take_number(body, millis) || !take_text(body, row.value)) {
      return std::nullopt;
    }
    row.timestamp = from_millis(millis);
  }
  return rows;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace thalweg::internal
