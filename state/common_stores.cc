#include <thalweg/state/stores.h>

namespace thalweg {

THALWEG_STORES_OF(, std::string, std::string);
THALWEG_STORES_OF(, std::string, std::int64_t);

}  // namespace thalweg
