#include "ledger.h"

#include <stdexcept>

#include "json_text.h"

namespace thalweg::flashsale {
namespace {

using Applied = std::expected<void, std::string>;

Applied wrong(std::string_view what, std::string_view line) {
  return std::unexpected(std::string(what) + ": " + std::string(line.substr(0, 200)));
}

std::optional<std::uint32_t> find_in(const std::unordered_map<std::string, std::uint32_t>& numbers,
                                     std::string_view id) {
  const auto found = numbers.find(std::string(id));
  if (found == numbers.end()) return std::nullopt;
  return found->second;
}

// Builds one line of a ledger file.
class Line {
 public:
  explicit Line(std::string_view kind) { text("kind", kind); }

  Line& text(std::string_view name, std::string_view value) {
    append_json_string(member(name), value);
    return *this;
  }
  Line& number(std::string_view name, std::int64_t value) {
    member(name) += std::to_string(value);
    return *this;
  }
  Line& json(std::string_view name, std::string_view value) {
    member(name) += value;
    return *this;
  }
  std::string end() { return out_ + '}'; }

 private:
  std::string& member(std::string_view name) {
    out_ += out_.empty() ? '{' : ',';
    append_json_string(out_, name);
    return out_ += ':';
  }
  std::string out_;
};

}  // namespace

std::string product_line(std::string_view id, std::int64_t price, std::int64_t stock) {
  return Line("product").text("id", id).number("price", price).number("stock", stock).end();
}

std::string user_line(std::string_view id) { return Line("user").text("id", id).end(); }

std::string unresolved_line(const Ledger::Unresolved& command) {
  return Line("unresolved")
      .text("path", command.path)
      .text("key", command.key)
      .json("request", command.body)
      .end();
}

std::string accepted_line(std::string_view path, std::string_view body, std::string_view key,
                          std::string_view order_id) {
  if (path == "/orders") {
    return Line("order").text("orderId", order_id).text("key", key).json("request", body).end();
  }
  const auto named = [&](std::string_view prefix, std::string_view suffix) {
    if (!path.starts_with(prefix) || !path.ends_with(suffix)) return std::string_view();
    return path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
  };
  if (const auto id = named("/products/", "/restock"); !id.empty()) {
    return Line("restock").text("productId", id).text("key", key).json("request", body).end();
  }
  if (const auto id = named("/users/", "/deposit"); !id.empty()) {
    return Line("deposit").text("userId", id).text("key", key).json("request", body).end();
  }
  throw std::invalid_argument("not a command of a sale: " + std::string(path));
}

std::string refused_line(std::string_view key) {
  return Line("refused").text("key", key).end();
}

std::int64_t Ledger::total_of(const Order& order) const {
  std::int64_t total = 0;
  for (const Item& item : order.items) total += item.quantity * products_[item.product].price;
  return total;
}

std::optional<std::uint32_t> Ledger::product_number(std::string_view id) const {
  return find_in(product_numbers_, id);
}

std::optional<std::uint32_t> Ledger::user_number(std::string_view id) const {
  return find_in(user_numbers_, id);
}

Applied Ledger::apply(std::string_view line) {
  const auto kind = json_string_member(line, "kind");
  if (!kind) return wrong("a line without a kind", line);
  if (const auto key = json_string_member(line, "key")) unresolved_.erase(*key);
  if (*kind == "order") return apply_order(line);
  if (*kind == "restock") return apply_restock(line);
  if (*kind == "deposit") return apply_deposit(line);
  if (*kind == "product") return apply_product(line);
  if (*kind == "user") return apply_user(line);
  if (*kind == "unresolved") return apply_unresolved(line);
  if (*kind == "refused") return {};
  return wrong("a line of an unknown kind", line);
}

Applied Ledger::apply_product(std::string_view line) {
  const auto id = json_string_member(line, "id");
  const auto price = json_integer_member(line, "price");
  const auto stock = json_integer_member(line, "stock");
  if (!id || !price || !stock) return wrong("a product needs id, price and stock", line);
  const auto number = static_cast<std::uint32_t>(products_.size());
  if (!product_numbers_.emplace(*id, number).second) return wrong("a product twice", line);
  products_.push_back({*id, *price, *stock});
  return {};
}

Applied Ledger::apply_user(std::string_view line) {
  const auto id = json_string_member(line, "id");
  if (!id) return wrong("a user needs an id", line);
  const auto number = static_cast<std::uint32_t>(users_.size());
  if (!user_numbers_.emplace(*id, number).second) return wrong("a user twice", line);
  users_.push_back({*id, 0});
  return {};
}

Applied Ledger::apply_restock(std::string_view line) {
  const auto product = product_number(json_string_member(line, "productId").value_or(""));
  const auto request = json_member(line, "request").value_or("");
  const auto quantity = json_integer_member(request, "quantity");
  if (!product || !quantity) return wrong("a restock needs a known product and a quantity", line);
  products_[*product].stocked += *quantity;
  return {};
}

Applied Ledger::apply_deposit(std::string_view line) {
  const auto user = user_number(json_string_member(line, "userId").value_or(""));
  const auto request = json_member(line, "request").value_or("");
  const auto amount = json_integer_member(request, "amount");
  if (!user || !amount) return wrong("a deposit needs a known user and an amount", line);
  users_[*user].deposited += *amount;
  return {};
}

Applied Ledger::apply_order(std::string_view line) {
  const auto id = json_string_member(line, "orderId");
  const auto request = json_member(line, "request").value_or("");
  const auto user = user_number(json_string_member(request, "userId").value_or(""));
  if (!id || id->empty() || !user) return wrong("an order needs orderId and a known user", line);
  Order order{*id, *user, {}};
  for (const auto item : json_elements(json_member(request, "items").value_or(""))) {
    const auto product = product_number(json_string_member(item, "productId").value_or(""));
    const auto quantity = json_integer_member(item, "quantity");
    if (!product || !quantity) return wrong("an item needs a known product and a quantity", line);
    order.items.push_back({*product, static_cast<std::int32_t>(*quantity)});
  }
  if (order.items.empty()) return wrong("an order needs items", line);
  orders_.push_back(std::move(order));
  return {};
}

Applied Ledger::apply_unresolved(std::string_view line) {
  const auto path = json_string_member(line, "path");
  const auto key = json_string_member(line, "key");
  const auto request = json_member(line, "request");
  if (!path || !key || !request) return wrong("unresolved needs path, key and request", line);
  unresolved_[*key] = {*path, std::string(*request), *key};
  return {};
}

std::expected<Ledger, std::string> Ledger::load(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::unexpected("cannot read the ledger " + path);
  Ledger ledger;
  std::string line;
  for (std::uint64_t number = 1; std::getline(in, line); ++number) {
    if (in.eof()) break;  // No line end: cut off while it was written.
    if (auto applied = ledger.apply(line); !applied) {
      return std::unexpected(path + ":" + std::to_string(number) + ": " + applied.error());
    }
  }
  return ledger;
}

Journal::Journal(Ledger ledger, const std::string& path) : ledger_(std::move(ledger)) {
  if (path.empty()) return;
  out_.open(path, std::ios::app);
  if (!out_) throw std::runtime_error("cannot write the ledger " + path);
}

void Journal::note(const std::string& line) {
  if (auto applied = ledger_.apply(line); !applied) throw std::logic_error(applied.error());
  ++lines_;
  if (out_.is_open()) out_ << line << '\n';
}

void Journal::flush() {
  if (out_.is_open()) out_.flush();
}

}  // namespace thalweg::flashsale
