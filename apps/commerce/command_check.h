#pragma once

#include <string>

#include <thalweg/topology/processor.h>

#include "saga_command.h"

namespace thalweg::shop {

/// What can be said of a record from outside only with its headers in hand: reads the options of an
/// `order.start`. A command of which that fails becomes Unreadable, and so a dead letter: options
/// that cannot be read are not to be taken for none, by which the order would be paid at once.
class CommandCheck final : public FixedKeyProcessor<std::string, SagaCommand> {
 public:
  void process(const RecordRef<std::string, SagaCommand>& record) override;
};

}  // namespace thalweg::shop
