#include "remote_view.h"

#include <cstdlib>
#include <future>

#include "peer_protocol.h"

namespace thalweg::internal {

namespace {

constexpr std::chrono::milliseconds kPatience{2'000};

}  // namespace

Result<std::vector<StoredEntry>> RemoteView::ask(std::string target) const {
  std::promise<std::optional<HttpResponse>> promise;
  auto answered = promise.get_future();
  peers_.ask(server_, std::move(target), kPatience,
             [promise = std::move(promise)](std::optional<HttpResponse> response) mutable {
               promise.set_value(std::move(response));
             });
  const auto response = answered.get();
  const auto what = [&] {
    return "partition " + std::to_string(partition_) + " of " + store_ + ", which is with " +
           server_;
  };
  if (!response) return failure(ErrorCode::kUnavailable, "no answer about " + what());
  if (response->status != 200) {
    return failure(ErrorCode::kUnavailable,
                   "cannot read " + what() + ": it answers " + std::to_string(response->status));
  }
  auto rows = read_peer_rows(response->body);
  if (!rows) return failure(ErrorCode::kUnavailable, "no rows in the answer about " + what());
  for (const auto& [name, value] : response->headers) {
    if (name == kFirstReadableHeader) first_readable_ = std::strtoll(value.c_str(), nullptr, 10);
  }
  return *std::move(rows);
}

Result<std::optional<StoredEntry>> RemoteView::get(BytesView key) const {
  auto rows = ask(peer_get_target(application_, store_, partition_, key));
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::optional<StoredEntry>{};
  return std::optional(std::move(rows->front()));
}

Result<std::vector<StoredEntry>> RemoteView::scan(const Scan& scan) const {
  return ask(peer_scan_target(application_, store_, partition_, scan));
}

}  // namespace thalweg::internal
