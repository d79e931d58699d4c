#pragma once

#include <thalweg/topology/streams_builder.h>

#include "model.h"
#include "payment_provider.h"
#include "shop_config.h"

namespace thalweg::shop {

/// `order-service` with a provider that tests give; one without functions takes no part.
Topology build_orders(const ShopConfig& config, const PaymentProvider& provider);

/// Has the provider take payments that the users' accounts have been charged with, and tells the
/// saga what became of each. Failed attempts go to `payment-processing-topic.retry`; payments that
/// were given up to `payment-processing-topic.dlq` and `admin-alerts`.
///
/// `charged` has one record for each order, under its id. Answers are under it, too.
KStream<std::string, PaymentReply> take_payments(
    const KStream<std::string, ProviderPayment>& charged, const PaymentProviderConfig& config,
    const PaymentProvider& provider);

/// Has the provider void payments that were given back, or of which nobody knows whether they were
/// taken.
void void_payments(const KStream<std::string, OrderEvent>& events,
                   const PaymentProviderConfig& config, const PaymentProvider& provider);

}  // namespace thalweg::shop
