#include <thalweg/topology/printed.h>

#include <iostream>

namespace thalweg::internal {

std::ostream& standard_output() { return std::cout; }

}  // namespace thalweg::internal
