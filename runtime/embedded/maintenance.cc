#include "embedded/embedded_log_impl.h"

namespace thalweg::internal {

Status EmbeddedLogImpl::maintain() { return {}; }

}  // namespace thalweg::internal
