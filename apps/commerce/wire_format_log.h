#pragma once

#include <memory>
#include <set>
#include <string>

#include <thalweg/runtime/log.h>

namespace thalweg::shop {

/// A log whose readers see JSON in public topics, whatever was written there, and whose writers'
/// JSON goes out in the topics' wire formats (wire_format.h). So nothing else in the shop knows of
/// them. What cannot be translated passes as it is: its reader says what is wrong with it.
///
/// `log` outlives what this returns, and everything made by it.
std::unique_ptr<Log> with_wire_formats(Log& log, std::set<std::string> flatbuffers_topics);

}  // namespace thalweg::shop
