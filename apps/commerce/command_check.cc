#include "command_check.h"

#include <utility>

namespace thalweg::shop {

void CommandCheck::process(const RecordRef<std::string, SagaCommand>& record) {
  const Header* header = std::holds_alternative<OrderStart>(record.value.content)
                             ? record.headers.last(kOrderOptionsHeader)
                             : nullptr;
  if (!header || !header->value) return context().forward(record.value);
  SagaCommand checked = record.value;
  auto& start = std::get<OrderStart>(checked.content);
  start.options_digest = options_digest(*header->value);
  auto fault = read_order_options(*header->value, start.options);
  if (!fault.empty()) checked.content = Unreadable{std::move(fault)};
  context().forward(checked);
}

}  // namespace thalweg::shop
