#pragma once

#include <optional>

#include "model.h"

namespace thalweg::shop {

// The two ledgers of the shop, each a fold of the commands to one key. Nothing in either is ever
// negative, and every command keeps the sum: a command that cannot be carried out changes nothing
// but the outcome.

/// What `command` makes of a product; nothing for a product that does not exist (yet).
std::optional<Stock> apply(const StockCommand& command, Stock stock);

/// What `command` makes of an account.
Account apply(const AccountCommand& command, Account account);

/// A product that no PUT has made.
inline bool exists(const Stock& stock) { return !stock.name.empty(); }

}  // namespace thalweg::shop
