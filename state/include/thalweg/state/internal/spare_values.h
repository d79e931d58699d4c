#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace thalweg::internal {

/// Objects that are used again for old values, so that keeping one costs no allocation per write.
template <typename V>
class SpareValues {
 public:
  std::unique_ptr<V> take() {
    if (values_.empty()) return std::make_unique<V>();
    auto value = std::move(values_.back());
    values_.pop_back();
    return value;
  }
  void keep(std::unique_ptr<V> value) {
    if (value && values_.size() < kLimit) values_.push_back(std::move(value));
  }

 private:
  static constexpr std::size_t kLimit = 1024;

  std::vector<std::unique_ptr<V>> values_;
};

}  // namespace thalweg::internal
