#include "contract/log_fixture.h"

namespace thalweg::testing {

std::vector<LogUnderTest> logs_under_test() {
  return {{"EmbeddedLogOnSimulatedStorage", &embedded_log_on_simulated_storage},
          {"EmbeddedLogOnRocksDb", &embedded_log_on_rocksdb},
          {"SimulatedLog", &simulated_log}};
}

}  // namespace thalweg::testing
