#include "kafka/header_bytes.h"

namespace thalweg::internal {

std::string encoded_headers(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* list = nullptr;
  std::string bytes;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return bytes;
  Headers headers;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    std::optional<std::string> copy;
    if (value) copy.emplace(static_cast<const char*>(value), size);
    headers.add(name, std::move(copy));
  }
  if (!headers.empty()) headers.encode(bytes);
  return bytes;
}

rd_kafka_headers_t* decoded_headers(BytesView encoded) {
  const Headers headers = Headers::decode(encoded);
  rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
  for (const Header& header : headers) {
    rd_kafka_header_add(list, header.key.data(), static_cast<ssize_t>(header.key.size()),
                        header.value ? header.value->data() : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return list;
}

}  // namespace thalweg::internal
