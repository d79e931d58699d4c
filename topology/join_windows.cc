#include <thalweg/topology/join_windows.h>

#include <stdexcept>

namespace thalweg {

using std::chrono::milliseconds;

JoinWindows::JoinWindows(milliseconds before, milliseconds after, milliseconds grace)
    : before_(before), after_(after), grace_(grace) {
  if (before + after < milliseconds(0)) {
    throw std::invalid_argument(
        "Window interval (ie, beforeMs+afterMs) must not be negative.");
  }
  if (grace < milliseconds(0)) throw std::invalid_argument("Grace period must not be negative.");
}

JoinWindows JoinWindows::of_time_difference_with_no_grace(milliseconds difference) {
  return {difference, difference, milliseconds(0)};
}

JoinWindows JoinWindows::of_time_difference_and_grace(milliseconds difference,
                                                      milliseconds grace) {
  return {difference, difference, grace};
}

JoinWindows JoinWindows::before(milliseconds before) const { return {before, after_, grace_}; }
JoinWindows JoinWindows::after(milliseconds after) const { return {before_, after, grace_}; }

}  // namespace thalweg
