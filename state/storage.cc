#include <utility>

#include <thalweg/state/storage.h>

namespace thalweg {

void WriteBatch::adopt(std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  operations_.push_back({Operation::Kind::kPut, std::move(key), std::move(value)});
}

void WriteBatch::remove(BytesView key) {
  operations_.push_back({Operation::Kind::kRemove, std::string(key), {}});
  bytes_ += key.size();
}

void WriteBatch::remove_range(BytesView from, BytesView to) {
  operations_.push_back({Operation::Kind::kRemoveRange, std::string(from), std::string(to)});
  bytes_ += from.size() + to.size();
}

void WriteBatch::clear() {
  operations_.clear();
  bytes_ = 0;
}

}  // namespace thalweg
