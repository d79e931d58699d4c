#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <thalweg/state/windowed.h>
#include <thalweg/topology/processor.h>

#include "rank_index.h"

namespace thalweg::shop {

/// Turns the views of five minutes into growth over the five minutes before: a place for each
/// window, and a new one for the window that begins where this one ends, if it has views already.
class TrendKeeper final : public Processor<Windowed<std::string>, std::optional<std::int64_t>,
                                           Place, std::optional<std::int64_t>> {
 public:
  void init(ProcessorContext<Place, std::optional<std::int64_t>>& context) override;
  void process(
      const RecordRef<Windowed<std::string>, std::optional<std::int64_t>>& record) override;

 private:
  void tell(const std::string& product, Timestamp start, std::int64_t views, std::int64_t previous);

  WindowStore<std::string, std::int64_t>* counts_ = nullptr;
};

}  // namespace thalweg::shop
