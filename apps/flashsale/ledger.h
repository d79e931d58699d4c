#pragma once

#include <cstdint>
#include <expected>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace thalweg::flashsale {

/// What the client itself knows to be true: everything the shop has accepted.
///
/// Products and users are numbered in the order in which they were added. This list is one side of
/// every invariant; the other is what the shop says about itself.
class Ledger {
 public:
  struct Item {
    std::uint32_t product = 0;
    std::int32_t quantity = 0;
  };
  struct Order {
    std::string id;  ///< As in the 202.
    std::uint32_t user = 0;
    std::vector<Item> items;
  };
  /// A command whose answer was never seen: nobody knows yet whether it took effect.
  struct Unresolved {
    std::string path;
    std::string body;
    std::string key;
  };
  struct Product {
    std::string id;
    std::int64_t price = 0;
    std::int64_t stocked = 0;  ///< First stock and every restock.
  };
  struct User {
    std::string id;
    std::int64_t deposited = 0;
  };

  /// Applies one line of a ledger file.
  std::expected<void, std::string> apply(std::string_view line);

  /// Reads a whole file; the error names the line at fault. A last line without an end, as a killed
  /// writer leaves it, is ignored.
  static std::expected<Ledger, std::string> load(const std::string& path);

  const std::vector<Product>& products() const { return products_; }
  const std::vector<User>& users() const { return users_; }
  const std::vector<Order>& orders() const { return orders_; }
  const std::map<std::string, Unresolved>& unresolved() const { return unresolved_; }

  std::int64_t total_of(const Order& order) const;
  /// The number of a known product or user; nullopt for a stranger.
  std::optional<std::uint32_t> product_number(std::string_view id) const;
  std::optional<std::uint32_t> user_number(std::string_view id) const;

 private:
  std::expected<void, std::string> apply_product(std::string_view line);
  std::expected<void, std::string> apply_user(std::string_view line);
  std::expected<void, std::string> apply_restock(std::string_view line);
  std::expected<void, std::string> apply_deposit(std::string_view line);
  std::expected<void, std::string> apply_order(std::string_view line);
  std::expected<void, std::string> apply_unresolved(std::string_view line);

  std::vector<Product> products_;
  std::vector<User> users_;
  std::vector<Order> orders_;
  std::map<std::string, Unresolved> unresolved_;  // By key.
  std::unordered_map<std::string, std::uint32_t> product_numbers_;
  std::unordered_map<std::string, std::uint32_t> user_numbers_;
};

// The lines of a ledger file.
std::string product_line(std::string_view id, std::int64_t price, std::int64_t stock);
std::string user_line(std::string_view id);
std::string unresolved_line(const Ledger::Unresolved& command);
/// The command POSTed to `path` with `body` took effect; `order_id` is empty if it was no order.
/// Throws std::invalid_argument for a path that is not a command of a sale.
std::string accepted_line(std::string_view path, std::string_view body, std::string_view key,
                          std::string_view order_id);
/// The unresolved command `key` was refused, so it had no effect.
std::string refused_line(std::string_view key);

/// A ledger that is kept in a file too: each fact is one line, applied and appended.
class Journal {
 public:
  /// Keeps the facts in memory alone when `path` is empty. Throws std::runtime_error if `path`
  /// cannot be written.
  explicit Journal(const std::string& path = {}) : Journal(Ledger(), path) {}
  /// Goes on with what `path` already says.
  Journal(Ledger ledger, const std::string& path);

  /// Throws std::logic_error for a line that contradicts the ledger: the caller wrote it wrongly.
  void note(const std::string& line);
  void flush();

  const Ledger& ledger() const { return ledger_; }
  std::uint64_t lines() const { return lines_; }

 private:
  Ledger ledger_;
  std::ofstream out_;
  std::uint64_t lines_ = 0;
};

}  // namespace thalweg::flashsale
