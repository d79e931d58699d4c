#include "ledgers.h"

#include <limits>

namespace thalweg::shop {
namespace {

StockOutcome put(const StockCommand& command, Stock& stock) {
  if (!exists(stock)) {
    stock = Stock{.name = command.name,
                  .price = command.price,
                  .first_stock = command.quantity,
                  .stocked = command.quantity,
                  .available = command.quantity};
    return StockOutcome::CREATED;
  }
  if (stock.first_stock != command.quantity) return StockOutcome::REJECTED;
  if (stock.name == command.name && stock.price == command.price) return StockOutcome::UNCHANGED;
  stock.name = command.name;
  stock.price = command.price;
  return StockOutcome::UPDATED;
}

/// Moves `quantity` from one account of the product to another, if it is there.
StockOutcome move(std::int64_t& from, std::int64_t& to, std::int64_t quantity, StockOutcome done,
                  StockOutcome refused) {
  if (quantity < 0 || from < quantity) return refused;
  from -= quantity;
  to += quantity;
  return done;
}

StockOutcome restock(const StockCommand& command, Stock& stock) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  if (command.quantity < 0 || stock.stocked > kMax - command.quantity) {
    return StockOutcome::REJECTED;
  }
  stock.stocked += command.quantity;
  stock.available += command.quantity;
  return StockOutcome::RESTOCKED;
}

}  // namespace

std::optional<Stock> apply(const StockCommand& command, Stock stock) {
  if (command.kind != StockCommandKind::PUT && !exists(stock)) return {};
  switch (command.kind) {
    case StockCommandKind::PUT:
      stock.outcome = put(command, stock);
      break;
    case StockCommandKind::RESTOCK:
      stock.outcome = restock(command, stock);
      break;
    case StockCommandKind::RESERVE:
      stock.outcome = move(stock.available, stock.reserved, command.quantity,
                           StockOutcome::GRANTED, StockOutcome::REFUSED);
      break;
    case StockCommandKind::RELEASE:
      stock.outcome = move(stock.reserved, stock.available, command.quantity,
                           StockOutcome::RELEASED, StockOutcome::REJECTED);
      break;
    case StockCommandKind::CONFIRM:
      stock.outcome = move(stock.reserved, stock.sold, command.quantity, StockOutcome::CONFIRMED,
                           StockOutcome::REJECTED);
      break;
  }
  return stock;
}

Account apply(const AccountCommand& command, Account account) {
  const std::int64_t amount = command.amount;
  account.accepted = false;
  if (amount < 0) return account;
  switch (command.kind) {
    case AccountCommandKind::DEPOSIT:
      if (account.deposited > std::numeric_limits<std::int64_t>::max() - amount) return account;
      account.deposited += amount;
      account.balance += amount;
      break;
    case AccountCommandKind::CHARGE:
      if (account.balance < amount) return account;
      account.balance -= amount;
      account.paid += amount;
      break;
    case AccountCommandKind::REFUND:
      if (account.paid - account.refunded < amount) return account;
      account.balance += amount;
      account.refunded += amount;
      break;
  }
  account.accepted = true;
  return account;
}

}  // namespace thalweg::shop
