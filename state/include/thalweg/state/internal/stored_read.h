#pragma once

#include <string>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/serde.h>

namespace thalweg::internal {

/// Reads a key or value (`what`) of a store; the error of bad bytes names it.
template <typename T>
void read_from(const AnySerde<T>& serde, const std::string& store, const char* what,
                 BytesView bytes, T& out) {
  try {
    serde.deserialize(bytes, out);
  } catch (const SerdeError& error) {
    throw SerdeError("store " + store + ", " + what + ": " + error.what());
  }
}

}  // namespace thalweg::internal
