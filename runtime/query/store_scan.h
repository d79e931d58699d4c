#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// Walks the rows of a store over all its partitions, in the order of their keys' bytes, and of
/// their partitions where the keys are the same; in reverse exactly the other way round.
///
/// Reads in small pieces, so that it holds up no commit; each piece is of its own moment.
class StoreScan {
 public:
  struct Row {
    std::int32_t partition = 0;
    StoredEntry entry;
  };

  /// A row's place in the walk: several partitions may have the same key, and show it in their own
  /// order.
  struct Place {
    std::string key;
    std::int32_t partition = 0;
  };

  /// Views that are null are left out. Of `bounds` the limit is not used. Begins behind `after`, if
  /// given, whether or not there is such a row.
  StoreScan(std::vector<std::shared_ptr<const StoreView>> views, StoreView::Scan bounds,
            const std::optional<Place>& after = {});

  /// Appends up to `count` rows; fewer mean that there are no more.
  Status next(std::size_t count, std::vector<Row>& rows);
  /// The newest commit whose writes the rows so far can show.
  CommitSequence last_commit() const;

 private:
  struct Part {
    std::int32_t partition = 0;
    std::shared_ptr<const StoreView> view;
    StoreView::Scan scan;  ///< What is still to be read.
    std::vector<StoredEntry> read;
    std::size_t used = 0;
    bool ended = false;
  };
  Status fill(Part& part, std::size_t count);

  std::vector<Part> parts_;
  bool reverse_;
};

}  // namespace thalweg::internal
