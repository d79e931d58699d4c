#pragma once

#include <cstddef>
#include <vector>

#include <thalweg/schemas/record.h>

namespace thalweg::internal {

/// The records that wrote the entries of a cache, so that what is flushed goes on as theirs.
class RecordOrigins {
 public:
  /// `current` is the record being processed; null: nobody asks for it.
  void follow(RecordMetadata* current) { current_ = current; }

  void note(std::size_t entry, std::size_t entries) {
    if (!current_) return;
    if (origins_.size() < entries) origins_.resize(entries);
    origins_[entry] = *current_;
  }
  /// Makes the current record the one that wrote the entry.
  void recall(std::size_t entry) {
    if (current_ && entry < origins_.size()) *current_ = origins_[entry];
  }

  /// Leaves the current record as it found it.
  class Scope {
   public:
    explicit Scope(RecordOrigins& origins) : current_(origins.current_) {
      if (current_) before_ = *current_;
    }
    ~Scope() {
      if (current_) *current_ = before_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    RecordMetadata* current_;
    RecordMetadata before_;
  };

 private:
  RecordMetadata* current_ = nullptr;
  std::vector<RecordMetadata> origins_;
};

}  // namespace thalweg::internal
