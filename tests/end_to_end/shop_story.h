#pragma once

#include <gtest/gtest.h>

#include "end_to_end/shop_client.h"
#include "end_to_end/shop_process.h"

namespace thalweg::end_to_end {

/// A shop of one lamp and two customers, run as its user would run it.
class ShopStory : public ::testing::Test {
 protected:
  std::filesystem::path data_dir() const { return directory_.path() / "data"; }

  void open_shop() {
    shop_.start_and_wait();
    customer_.stock("lamp", 4'900, 10);
    customer_.register_user("ada");
    customer_.register_user("cleo");
    customer_.deposit("ada", 1'000'000);
    customer_.deposit("cleo", 100);
  }

  TemporaryDirectory directory_;
  ShopProcess shop_{data_dir()};
  ShopClient customer_{shop_.port()};
};

}  // namespace thalweg::end_to_end
