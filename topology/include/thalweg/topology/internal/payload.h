#pragma once

#include <thalweg/schemas/serde.h>

namespace thalweg::internal {

/// What a key or value holds, or null: the same for types with and without null.
template <typename T>
const payload_t<T>* payload_of(const T& value) {
  if constexpr (is_nullable<T>) {
    return value ? &*value : nullptr;
  } else {
    return &value;
  }
}

}  // namespace thalweg::internal
