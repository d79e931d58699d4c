#pragma once

#include <string_view>

namespace thalweg::internal {

[[noreturn]] void check_failed(std::string_view condition, std::string_view message,
                               std::string_view file, int line);

}  // namespace thalweg::internal

/// States an invariant that no input can break; a broken one stops the process, in release too,
/// because going on could write wrong data where it lasts.
#define THALWEG_CHECK(condition, message)                                           \
  do {                                                                              \
    if (!(condition)) [[unlikely]] {                                                \
      ::thalweg::internal::check_failed(#condition, (message), __FILE__, __LINE__); \
    }                                                                               \
  } while (false)
