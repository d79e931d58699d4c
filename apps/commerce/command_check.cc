#include "command_check.h"

#include <utility>

#include "saga.h"

namespace thalweg::shop {

void CommandCheck::init(FixedKeyProcessorContext<std::string, SagaCommand>& context) {
  FixedKeyProcessor::init(context);
  sagas_ = &context.key_value_store<std::string, Saga>(SagaProcessor::kStore);
}

void CommandCheck::process(const RecordRef<std::string, SagaCommand>& record) {
  if (std::holds_alternative<OrderStart>(record.value.content)) return check_start(record);
  auto fault = fault_of_user(record.key, record.value);
  if (fault.empty()) return context().forward(record.value);
  SagaCommand refused = record.value;
  refused.content = Unreadable{std::move(fault)};
  context().forward(refused);
}

void CommandCheck::check_start(const RecordRef<std::string, SagaCommand>& record) {
  const Header* header = record.headers.last(kOrderOptionsHeader);
  if (!header || !header->value) return context().forward(record.value);
  SagaCommand checked = record.value;
  auto& start = std::get<OrderStart>(checked.content);
  start.options_digest = options_digest(*header->value);
  auto fault = read_order_options(*header->value, start.options);
  if (!fault.empty()) checked.content = Unreadable{std::move(fault)};
  context().forward(checked);
}

std::string CommandCheck::fault_of_user(const std::string& order_id, const SagaCommand& command) {
  if (command.user_id.empty() || !command.readable(order_id)) return {};
  const Saga* saga = sagas_->get(order_id);
  // What waits for its order yet, waits without a user if it named none.
  if (!saga || saga->user_id.empty() || saga->user_id == command.user_id) return {};
  return "order " + order_id + " is not one of the user " + command.user_id;
}

}  // namespace thalweg::shop
