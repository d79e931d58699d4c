// GET /v1/stores/{store}/keys: rows of all partitions, wherever their tasks are.

#include <algorithm>
#include <utility>

#include "query/patience.h"
#include "query/query_context.h"
#include "query/query_text.h"
#include "query/row_json.h"
#include "query/store_request.h"
#include "query/store_scan.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kPageBytes = 8u << 20;  // A page ends early when it gets larger.
constexpr std::size_t kStreamedRows = 200;    // Per piece of an NDJSON answer.
constexpr std::int64_t kPartitionMax = 1'000'000;

struct ScanRequest {
  StoreRef store;
  ReadOptions options;
  StoreView::Scan bounds;
  std::size_t limit = 0;
  bool limited = false;  ///< The request names a limit.
  bool partial = false;  ///< Rows of the partitions that are here will do.
  std::string cursor = {};
  std::optional<StoreScan::Place> after = {};  ///< What the cursor says.
};

// A cursor says which row was the page's last: "2:lamp" for that of partition 2, as base64. The key
// alone would not do, as several partitions may have it.
void append_cursor(const StoreScan::Row& last, std::string& out) {
  append_base64(std::to_string(last.partition) + ':' + last.entry.key, true, out);
}

std::optional<StoreScan::Place> parse_cursor(std::string_view cursor) {
  const auto place = decode_base64(cursor);
  if (!place) return std::nullopt;
  const auto colon = place->find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto partition = parse_integer(std::string_view(*place).substr(0, colon));
  if (!partition || *partition < 0 || *partition > kPartitionMax) return std::nullopt;
  return StoreScan::Place{place->substr(colon + 1), static_cast<std::int32_t>(*partition)};
}

HttpResponse bad_cursor(std::string_view cursor) {
  return bad_parameter("cursor", cursor, "what next_cursor of the page before says");
}

// Goes on where the page before ended; an empty cursor is none.
std::optional<HttpResponse> read_cursor(const HttpRequest& request, ScanRequest& scan) {
  scan.cursor = request.query("cursor").value_or("");
  if (scan.cursor.empty()) return std::nullopt;
  scan.after = parse_cursor(scan.cursor);
  return scan.after ? std::nullopt : std::optional(bad_cursor(scan.cursor));
}

Answered<ScanRequest> read_scan(QueryContext& context, const HttpRequest& request) {
  auto store = context.store(request);
  if (!store) return std::unexpected(std::move(store.error()));
  if (auto wrong = wrong_kind(*store)) return std::unexpected(*std::move(wrong));
  auto options = context.read_options(request);
  if (!options) return std::unexpected(std::move(options.error()));
  const auto limit = context.limit(request);
  if (!limit) return std::unexpected(limit.error());
  const auto reverse = flag(request, "reverse");
  if (!reverse) return std::unexpected(reverse.error());
  const auto partial = flag(request, "partial");
  if (!partial) return std::unexpected(partial.error());
  ScanRequest scan{
      *std::move(store), *std::move(options), {}, *limit, request.query("limit").has_value(),
      *partial};
  scan.bounds.reverse = *reverse;
  auto fault = read_bounds(request, *scan.store.key_schema, scan.bounds);
  if (!fault) fault = read_cursor(request, scan);
  if (fault) return std::unexpected(*std::move(fault));
  return scan;
}

std::vector<std::size_t> missing(const std::vector<std::shared_ptr<const StoreView>>& views) {
  std::vector<std::size_t> partitions;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i]) partitions.push_back(i);
  }
  return partitions;
}

void append_missing(const std::vector<std::size_t>& partitions, std::string& out) {
  if (partitions.empty()) return;
  out += R"(,"partial":true,"missing":[)";
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(partitions[i]);
  }
  out += ']';
}

void answer_page(QueryContext& context, const ScanRequest& request, const StoreScan& scan,
                 const std::vector<StoreScan::Row>& rows, const std::vector<std::size_t>& not_here,
                 Responder responder) {
  HttpResponse response{.body = R"({"items":[)"};
  auto& body = response.body;
  std::size_t shown = 0;
  for (; shown < std::min(rows.size(), request.limit) && body.size() < kPageBytes; ++shown) {
    if (shown > 0) body += ',';
    append_row(request.store, rows[shown].partition, rows[shown].entry, body);
  }
  body += R"(],"next_cursor":)";
  if (rows.size() > shown) {
    body += '"';
    append_cursor(rows[shown - 1], body);
    body += '"';
  } else {
    body += "null";
  }
  append_missing(not_here, body);
  body += '}';
  context.send_durable(request.options, scan.last_commit(), std::move(responder),
                       std::move(response));
}

// All rows as NDJSON, piece by piece, each when it is durable and the client has taken the one
// before.
class StreamedScan : public std::enable_shared_from_this<StreamedScan> {
 public:
  /// `waits`: some of the rows are with other processes.
  StreamedScan(ContextPtr context, ScanRequest request, StoreScan scan, bool waits)
      : context_(std::move(context)),
        request_(std::move(request)),
        scan_(std::move(scan)),
        waits_(waits) {
    if (request_.limited) left_ = request_.limit;
  }

  void start(Responder responder) {
    stream_ = responder.stream({.content_type = "application/x-ndjson"});
    next();
  }

 private:
  void next() {
    if (!waits_) return read();
    if (!context_->reader().post([self = shared_from_this()] { self->read(); })) stream_ = {};
  }

  void read() {
    std::vector<StoreScan::Row> rows;
    const auto wanted = std::min(kStreamedRows, left_);
    if (!scan_.next(wanted, rows)) {
      stream_ = {};  // Broken off, so that nobody takes it for the whole.
      return;
    }
    if (rows.empty()) return stream_.finish();
    left_ -= rows.size();
    const bool more = rows.size() == wanted && left_ > 0;
    std::string piece;
    for (const auto& row : rows) {
      append_row(request_.store, row.partition, row.entry, piece);
      piece += '\n';
    }
    context_->when_durable(request_.options, scan_.last_commit(),
                           [self = shared_from_this(), more, piece = std::move(piece)]() mutable {
                             self->write(std::move(piece), more);
                           });
  }

  void write(std::string piece, bool more) {
    stream_.write(std::move(piece), [self = shared_from_this(), more](bool alive) {
      if (!alive) return;
      more ? self->next() : self->stream_.finish();
    });
  }

  ContextPtr context_;
  ScanRequest request_;
  StoreScan scan_;
  const bool waits_;
  std::size_t left_ = static_cast<std::size_t>(-1);
  ResponseStream stream_;
};

// Answers a scan over all partitions, wherever their tasks are, and waits for those that move.
class ScanSearch : public std::enable_shared_from_this<ScanSearch> {
 public:
  ScanSearch(ContextPtr context, ScanRequest request, bool streamed, Responder responder)
      : context_(std::move(context)),
        request_(std::move(request)),
        streamed_(streamed),
        responder_(std::move(responder)),
        patience_(*context_, *request_.store.source) {}

  void look() {
    auto views = context_->views(request_.store);
    if (!views) return responder_.send(std::move(views.error()));
    if (request_.after && std::cmp_greater_equal(request_.after->partition, views->size())) {
      return responder_.send(bad_cursor(request_.cursor));
    }
    auto not_here = missing(*views);
    if (not_here.empty() || (request_.partial && !streamed_)) {
      return answer(*std::move(views), not_here, false);
    }
    for (const std::size_t partition : not_here) {
      (*views)[partition] = context_->view_elsewhere(request_.store, partition);
      if (!(*views)[partition]) return look_again(context_->restoring(request_.store));
    }
    // What reads there waits for answers, as a server's thread must not.
    const bool posted = context_->reader().post(
        [self = shared_from_this(), views = *std::move(views)] { self->answer(views, {}, true); });
    if (!posted) responder_.send(QueryContext::busy());
  }

 private:
  using Views = std::vector<std::shared_ptr<const StoreView>>;

  void answer(Views views, const std::vector<std::size_t>& not_here, bool waits) {
    StoreScan scan(std::move(views), request_.bounds, request_.after);
    if (streamed_) {
      return std::make_shared<StreamedScan>(context_, std::move(request_), std::move(scan), waits)
          ->start(std::move(responder_));
    }
    std::vector<StoreScan::Row> rows;
    if (auto read = scan.next(request_.limit + 1, rows); !read) {
      if (waits && read.error().code == ErrorCode::kUnavailable) {
        return look_again(failed(read.error()));
      }
      return responder_.send(failed(read.error()));
    }
    answer_page(*context_, request_, scan, rows, not_here, std::move(responder_));
  }

  void look_again(HttpResponse otherwise) {
    if (patience_.is_over()) return responder_.send(std::move(otherwise));
    patience_.later([self = shared_from_this()] { self->look(); });
  }

  ContextPtr context_;
  ScanRequest request_;
  const bool streamed_;
  Responder responder_;
  const Patience patience_;
};

void get_keys(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto scan = read_scan(*context, request);
  if (!scan) return responder.send(std::move(scan.error()));
  const bool streamed =
      names_media_type(request.header("Accept").value_or(""), "application/x-ndjson");
  auto& source = *scan->store.source;
  const auto options = scan->options;
  context->when_processed(
      source, options, std::move(responder),
      [context, streamed, scan = *std::move(scan)](Responder later) mutable {
        std::make_shared<ScanSearch>(context, std::move(scan), streamed, std::move(later))->look();
      });
}

}  // namespace

void add_scan_routes(const ContextPtr& context) {
  context->server().route("GET",
                          "/v1/stores/{store}/keys?application&visibility&at_least&from&to&key"
                          "&prefix&reverse&limit&cursor&partial",
                          [context](HttpRequest& request, Responder responder) {
                            get_keys(context, request, std::move(responder));
                          });
}

}  // namespace thalweg::internal
