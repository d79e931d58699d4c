#pragma once

#include <chrono>
#include <set>
#include <string>

#include "outside_config.h"

namespace thalweg {
class Clock;
}

namespace thalweg::shop {

/// The shop's own settings, under the keys in the comments.
struct ShopConfig {
  /// `saga.timeout.ms`: an order that is not finished by then is cancelled.
  std::chrono::milliseconds saga_timeout{60'000};
  /// How often durable timers are looked at.
  std::chrono::milliseconds timer_resolution{1'000};
  /// `idempotency.retention.ms`: how long the ids of commands are remembered.
  std::chrono::milliseconds idempotency_retention{24 * 3'600'000};
  /// `auth.secret`: the key of the tokens that say who asks; empty: development, on loopback only.
  std::string auth_secret;
  /// `admin.token`: what writing topics over HTTP asks for; both are needed off loopback.
  std::string admin_token;
  /// `view.log`: whether who looks at a product is written to `view-log-topic`.
  bool view_log = true;
  /// Topics whose `wire.format.<topic>` is flatbuffers.
  std::set<std::string> flatbuffers_topics;
  DeliveryConfig delivery;
  PaymentProviderConfig payment_provider;
  /// Of those who write to public topics nobody may be far ahead of it (TimeOfOthers); null: as far
  /// as they like.
  const Clock* clock = nullptr;
};

}  // namespace thalweg::shop
