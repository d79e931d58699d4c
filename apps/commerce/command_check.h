#pragma once

#include <string>

#include <thalweg/topology/processor.h>

#include "saga_command.h"

namespace thalweg::shop {

/// What can be said of a record from outside only with its headers and the order in hand. A command
/// at fault becomes Unreadable, and so a dead letter:
///
/// - an `order.start` of which the options cannot be read: taken for none, they would make an order
///   to be paid later one that is paid at once;
/// - a command to an order of another user than the one it names.
class CommandCheck final : public FixedKeyProcessor<std::string, SagaCommand> {
 public:
  void init(FixedKeyProcessorContext<std::string, SagaCommand>& context) override;
  void process(const RecordRef<std::string, SagaCommand>& record) override;

 private:
  void check_start(const RecordRef<std::string, SagaCommand>& record);
  /// Empty: nothing is wrong.
  std::string fault_of_user(const std::string& order_id, const SagaCommand& command);

  KeyValueStore<std::string, Saga>* sagas_ = nullptr;  // Of the saga, which alone writes it.
};

}  // namespace thalweg::shop
