#pragma once

#include <vector>

#include "source_tree.h"

namespace thalweg::tidy {

/// schemas <- state <- topology <- runtime <- apps: an include never points upward, and a file
/// reaches another layer only through its public headers.
Offences check_layers(const std::vector<SourceFile>& files);

/// Each third-party library is included only where the table in the .cc lets it in; heavy ones are
/// in no public header.
Offences check_third_party(const std::vector<SourceFile>& files);

/// At most 100 columns, no tabs, `#pragma once` in headers, no `using namespace` in headers, no
/// notes about work to be done, no paths of somebody's machine.
Offences check_text(const std::vector<SourceFile>& files);

/// Time, randomness and sleep come in through the Clock and the seed; nothing else asks for them.
Offences check_clocks(const std::vector<SourceFile>& files);

/// Every .cc and every public header is named by a CMakeLists.txt or .cmake of its first folder;
/// every private header is included by somebody.
Offences check_listed(const std::vector<SourceFile>& files);

/// At most 500 lines a file; the list of older, longer ones only ever shrinks.
Offences check_length(const std::vector<SourceFile>& files);

}  // namespace thalweg::tidy
