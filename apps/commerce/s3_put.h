#pragma once

#include <memory>

#include <thalweg/runtime/clock.h>

#include "delivery_model.h"
#include "outside_client.h"
#include "outside_config.h"

namespace thalweg::shop {

/// Deliveries as objects of an S3-compatible store: `PUT {url}{path}` in path style, so
/// `ENDPOINT/BUCKET/PREFIX/date=2026-11-22/ORDERID.json`, the payload as it came, signed with AWS
/// Signature Version 4. The object's name is the idempotency: whoever puts it again puts the same.
/// Replies count as those of webhooks do. Throws TopologyError for a URL that is none.
DeliverySend send_to_s3(const S3Config& config, std::shared_ptr<OutsideClient> client,
                        const Clock& clock = system_clock());

}  // namespace thalweg::shop
