#include "unreadable_alerts.h"

#include <memory>

#include <thalweg/schemas/json.h>
#include <thalweg/topology/processor.h>

#include "delivery_model.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

using Id = std::string;

class AlertOfDeadLetter final : public Processor<std::optional<Id>, Bytes, Id, JsonText> {
 public:
  void process(const RecordRef<std::optional<Id>, Bytes>& record) override {
    const auto& task = context().task();
    const auto* message = record.headers.last("__streams.errors.message");
    const std::string fault(message && message->value ? *message->value : "");
    const Id key = record.key.value_or(Id());
    const std::int64_t now = to_millis(task.wall_clock_time());
    context().forward(key, JsonText{admin_alert(now, task.metadata().topic, key, fault)},
                      record.timestamp, Headers());
  }
};

}  // namespace

void raise_alerts(const KStream<std::optional<std::string>, Bytes>& dead_letters,
                  const std::string& name) {
  dead_letters.process([] { return std::make_unique<AlertOfDeadLetter>(); }, {}, {.name = name})
      .to(topics::kAdminAlerts);
}

}  // namespace thalweg::shop
