#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/state/internal/layered_table.h>

namespace thalweg::internal {

/// The serialised writes of a store's open transaction: the bytes made for the changelog, kept for
/// the merge into committed state. One live write per key; its memory is reused by later
/// transactions.
class WriteLog {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Write {
    std::size_t at = 0;
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
    Timestamp timestamp = kNoTimestamp;
    bool has_value = false;
    bool is_superseded = false;
  };

  /// Where the next write's key and then value are to be appended.
  std::string& arena() { return arena_; }
  /// Appends the key of an earlier write.
  void append_key_of(std::uint32_t write) {
    arena_.append(arena_, writes_[write].at, writes_[write].key_size);
  }

  /// Takes the bytes appended since `at`, a key of `key_size` and (maybe) a value, as the newest
  /// write of that key; `previous` is the one it supersedes, or kNone. Returns its number.
  std::uint32_t add(std::size_t at, std::size_t key_size, bool has_value, Timestamp timestamp,
                    std::uint32_t previous);

  BytesView key(std::uint32_t write) const {
    return BytesView(arena_).substr(writes_[write].at, writes_[write].key_size);
  }
  std::optional<BytesView> value(std::uint32_t write) const {
    const Write& it = writes_[write];
    if (!it.has_value) return std::nullopt;
    return BytesView(arena_).substr(it.at + it.key_size, it.value_size);
  }

  /// The live writes. Valid until the log changes.
  const std::vector<TableWrite>& live();
  std::size_t bytes() const { return arena_.size() + writes_.size() * sizeof(Write); }
  void clear();

 private:
  std::string arena_;
  std::vector<Write> writes_;
  std::vector<TableWrite> live_;
};

}  // namespace thalweg::internal
