#pragma once

#include <functional>
#include <string>

#include <thalweg/schemas/flatbuffers_serde.h>
#include <thalweg/topology/async.h>

#include "outside_config.h"
#include "payment_generated.h"

namespace thalweg::shop {

using ProviderPayment = fb::ProviderPaymentT;
/// One attempt to take a payment; answered with the provider's id of it.
using ChargeCall = AsyncCall<std::string, ProviderPayment, std::string>;
/// One attempt to void a payment; answered with whether there was one.
using VoidCall = AsyncCall<std::string, ProviderPayment, bool>;

/// Somebody outside who takes payments. Both functions return at once and answer later.
struct PaymentProvider {
  std::function<void(ChargeCall)> charge;
  std::function<void(VoidCall)> cancel;
};

/// The provider at `payment.provider.url`: `POST /payments {orderId, userId, amount}` with the
/// order's id as idempotency key, answered 200 {paymentId}; `DELETE /payments/{orderId}`. A 4xx
/// says no; what else is no 2xx may be tried again.
PaymentProvider provider_over_http(const PaymentProviderConfig& config);

}  // namespace thalweg::shop
