#include "embedded/check_topic.h"

namespace thalweg::internal {

Status check_topic(const TopicSpec& spec) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  if (spec.name.empty() || spec.name.size() > 249 || spec.name == "." || spec.name == ".." ||
      spec.name.find_first_not_of(kAllowed) != std::string::npos) {
    return failure(
        ErrorCode::kInvalid,
        "topic name '" + spec.name + "' must have 1 to 249 letters, digits, '.', '_' or '-'");
  }
  if (spec.partitions < 1) {
    return failure(ErrorCode::kInvalid, "topic " + spec.name +
                                            " needs one partition at least, not " +
                                            std::to_string(spec.partitions));
  }
  return {};
}

}  // namespace thalweg::internal
