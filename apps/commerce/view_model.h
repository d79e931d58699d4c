#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

#include "table_serde.h"

// Views of products: the public record, and what is made of it. The bytes of the shop's own records
// are the FlatBuffers tables of schemas/views.fbs.
namespace thalweg::shop {

/// A look at a product, as `view-log-topic` has it: `{productId, email, age, gender, at}`.
struct View {
  std::string product_id;
  std::string email;      ///< Empty: nobody knows who looked.
  std::int32_t age = -1;  ///< Negative: not known.
  std::string gender;     ///< Empty: not known.
  std::int64_t at = 0;

  friend bool operator==(const View&, const View&) = default;
};

/// The public JSON.
struct PublicViewSerde {
  void serialize(const View& view, std::string& out) const;
  void deserialize(BytesView bytes, View& out) const;
  SchemaPtr schema() const { return Serde<JsonText>::schema(); }
};

/// A view that came too late for its windows: `{view, window}`.
struct LateViewSerde {
  std::string window;  ///< `1m`, `1h` or `1d`.

  void serialize(const View& view, std::string& out) const;
  void deserialize(BytesView bytes, View& out) const;
  SchemaPtr schema() const { return Serde<JsonText>::schema(); }
};

/// Who is alike: an age band and a gender, such as `30/female`; empty when either is not known.
std::string segment_of(std::int32_t age, const std::string& gender);

/// What somebody looked at without a pause of half an hour.
struct ViewSession {
  std::int64_t views = 0;
  std::vector<std::string> products;
  /// Products that this view brought together in one session. Only in the step in which it did:
  /// not kept.
  std::vector<std::pair<std::string, std::string>> met;

  static constexpr std::size_t kProductsMax = 50;
};

/// The session with one more view.
ViewSession with_view(const View& view, ViewSession session);
/// Two sessions that turned out to be one, the earlier one first.
ViewSession joined(ViewSession session, const ViewSession& next);

struct ViewedProduct {
  std::string name;  ///< Empty: of a product that no event has told of.
  std::int64_t views = 0;
};

}  // namespace thalweg::shop

THALWEG_SHOP_SERDE(View);
THALWEG_SHOP_SERDE(ViewSession);
THALWEG_SHOP_SERDE(ViewedProduct);
