#include "model.h"

#include "table_bytes.h"

namespace thalweg {
namespace shop {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

using ItemsOffset = Offset<flatbuffers::Vector<Offset<fb::Item>>>;

ItemsOffset write_items(FlatBufferBuilder& builder, const std::vector<Item>& items) {
  if (items.empty()) return {};
  thread_local std::vector<Offset<fb::Item>> offsets;
  offsets.clear();
  for (const Item& item : items) {
    const auto product = text(builder, item.product_id);
    const auto name = text(builder, item.name);
    offsets.push_back(
        fb::CreateItem(builder, product, item.quantity, item.price, name, item.state));
  }
  return builder.CreateVector(offsets);
}

void read_items(const flatbuffers::Vector<Offset<fb::Item>>* from, std::vector<Item>& to) {
  to.resize(from ? from->size() : 0);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const fb::Item& item = *from->Get(static_cast<flatbuffers::uoffset_t>(i));
    assign(to[i].product_id, item.product_id());
    assign(to[i].name, item.name());
    to[i].quantity = item.quantity();
    to[i].price = item.price();
    to[i].state = item.state();
  }
}

Offset<fb::User> write_user(FlatBufferBuilder& builder, const User& user) {
  std::vector<Offset<fb::User>> others;
  for (const User& other : user.others) others.push_back(write_user(builder, other));
  const auto all = others.empty() ? 0 : builder.CreateVector(others);
  const auto email = text(builder, user.email);
  const auto gender = text(builder, user.gender);
  const auto id = text(builder, user.id);
  return fb::CreateUser(builder, email, user.age, gender, id, all);
}

void read_user(const fb::User& table, User& user) {
  assign(user.email, table.email());
  user.age = table.age();
  assign(user.gender, table.gender());
  assign(user.id, table.id());
  const auto* others = table.others();
  user.others.resize(others ? others->size() : 0);
  for (std::size_t i = 0; i < user.others.size(); ++i) {
    read_user(*others->Get(static_cast<flatbuffers::uoffset_t>(i)), user.others[i]);
  }
}

}  // namespace
}  // namespace shop

using namespace shop;

void Serde<OrderEvent>::serialize(const OrderEvent& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto order_id = text(builder, value.order_id);
  const auto user_id = text(builder, value.user_id);
  const auto items = write_items(builder, value.items);
  const auto coupon_id = text(builder, value.coupon_id);
  const auto payment_id = text(builder, value.payment_id);
  const auto shipment = text(builder, value.shipment);
  const auto storage = text(builder, value.storage);
  finish(builder,
         fb::CreateOrderEvent(builder, value.type, order_id, user_id, value.at, value.reason,
                              value.cause, items, value.total_amount, value.final_amount,
                              coupon_id, payment_id, shipment, storage, value.pay_now,
                              value.deadline, value.deducted, value.coupon_held,
                              value.options_digest),
         out);
}

void Serde<OrderEvent>::deserialize(BytesView bytes, OrderEvent& out) {
  read_table<fb::OrderEvent>(bytes, [&](const fb::OrderEvent& table) {
    out.type = table.type();
    assign(out.order_id, table.order_id());
    assign(out.user_id, table.user_id());
    out.at = table.at();
    out.reason = table.reason();
    out.cause = table.cause();
    read_items(table.items(), out.items);
    out.total_amount = table.total_amount();
    out.final_amount = table.final_amount();
    assign(out.coupon_id, table.coupon_id());
    assign(out.payment_id, table.payment_id());
    assign(out.shipment, table.shipment());
    assign(out.storage, table.storage());
    out.pay_now = table.pay_now();
    out.deadline = table.deadline();
    out.deducted = table.deducted();
    out.coupon_held = table.coupon_held();
    out.options_digest = table.options_digest();
  });
}

SchemaPtr Serde<OrderEvent>::schema() { return internal::table_schema<fb::OrderEvent>(); }

void Serde<Saga>::serialize(const Saga& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto user_id = text(builder, value.user_id);
  const auto items = write_items(builder, value.items);
  const auto coupon_id = text(builder, value.coupon_id);
  const auto shipment = text(builder, value.shipment);
  finish(builder,
         fb::CreateSaga(builder, value.status, user_id, items, value.total_amount,
                        value.final_amount, value.pay_now, value.payment_asked, coupon_id,
                        shipment, value.storage_wanted, value.deadline, value.reason,
                        value.cause, value.coupon_asked, value.coupon_held),
         out);
}

void Serde<Saga>::deserialize(BytesView bytes, Saga& out) {
  read_table<fb::Saga>(bytes, [&](const fb::Saga& table) {
    out.status = table.status();
    assign(out.user_id, table.user_id());
    read_items(table.items(), out.items);
    out.total_amount = table.total_amount();
    out.final_amount = table.final_amount();
    out.pay_now = table.pay_now();
    out.payment_asked = table.payment_asked();
    assign(out.coupon_id, table.coupon_id());
    assign(out.shipment, table.shipment());
    out.storage_wanted = table.storage_wanted();
    out.deadline = table.deadline();
    out.reason = table.reason();
    out.cause = table.cause();
    out.coupon_asked = table.coupon_asked();
    out.coupon_held = table.coupon_held();
  });
}

SchemaPtr Serde<Saga>::schema() { return internal::table_schema<fb::Saga>(); }

void Serde<Order>::serialize(const Order& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto user_id = text(builder, value.user_id);
  const auto items = write_items(builder, value.items);
  const auto coupon_id = text(builder, value.coupon_id);
  const auto payment_id = text(builder, value.payment_id);
  const auto shipment = text(builder, value.shipment);
  const auto storage = text(builder, value.storage);
  thread_local std::vector<fb::HistoryEntry> history;
  history.clear();
  for (const auto& entry : value.history) history.emplace_back(entry.at, entry.type);
  const auto entries = builder.CreateVectorOfStructs(history);
  finish(builder,
         fb::CreateOrder(builder, user_id, value.status, value.reason, items,
                         value.total_amount, value.final_amount, coupon_id, payment_id, shipment,
                         storage, value.created_at, value.updated_at, entries,
                         value.options_digest),
         out);
}

void Serde<Order>::deserialize(BytesView bytes, Order& out) {
  read_table<fb::Order>(bytes, [&](const fb::Order& table) {
    assign(out.user_id, table.user_id());
    out.status = table.status();
    out.reason = table.reason();
    read_items(table.items(), out.items);
    out.total_amount = table.total_amount();
    out.final_amount = table.final_amount();
    assign(out.coupon_id, table.coupon_id());
    assign(out.payment_id, table.payment_id());
    assign(out.shipment, table.shipment());
    assign(out.storage, table.storage());
    out.created_at = table.created_at();
    out.updated_at = table.updated_at();
    out.history.clear();
    if (const auto* entries = table.history()) {
      for (const fb::HistoryEntry* entry : *entries) {
        out.history.push_back({entry->at(), entry->type()});
      }
    }
    out.options_digest = table.options_digest();
  });
}

SchemaPtr Serde<Order>::schema() { return internal::table_schema<fb::Order>(); }

void Serde<StockCommand>::serialize(const StockCommand& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto order_id = text(builder, value.order_id);
  const auto name = text(builder, value.name);
  const auto command_id = text(builder, value.command_id);
  finish(builder,
         fb::CreateStockCommand(builder, value.kind, order_id, value.index, value.quantity, name,
                                value.price, command_id, value.at),
         out);
}

void Serde<StockCommand>::deserialize(BytesView bytes, StockCommand& out) {
  read_table<fb::StockCommand>(bytes, [&](const fb::StockCommand& table) {
    out.kind = table.kind();
    assign(out.order_id, table.order_id());
    out.index = table.index();
    out.quantity = table.quantity();
    assign(out.name, table.name());
    out.price = table.price();
    assign(out.command_id, table.command_id());
    out.at = table.at();
  });
}

SchemaPtr Serde<StockCommand>::schema() { return internal::table_schema<fb::StockCommand>(); }

void Serde<Stock>::serialize(const Stock& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto name = text(builder, value.name);
  finish(builder,
         fb::CreateStock(builder, name, value.price, value.first_stock, value.stocked,
                         value.available, value.reserved, value.sold, value.outcome),
         out);
}

void Serde<Stock>::deserialize(BytesView bytes, Stock& out) {
  read_table<fb::Stock>(bytes, [&](const fb::Stock& table) {
    assign(out.name, table.name());
    out.price = table.price();
    out.first_stock = table.first_stock();
    out.stocked = table.stocked();
    out.available = table.available();
    out.reserved = table.reserved();
    out.sold = table.sold();
    out.outcome = table.outcome();
  });
}

SchemaPtr Serde<Stock>::schema() { return internal::table_schema<fb::Stock>(); }

void Serde<StockReply>::serialize(const StockReply& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto product_id = text(builder, value.product_id);
  const auto name = text(builder, value.name);
  finish(builder,
         fb::CreateStockReply(builder, product_id, value.index, value.known, value.granted,
                              value.price, name),
         out);
}

void Serde<StockReply>::deserialize(BytesView bytes, StockReply& out) {
  read_table<fb::StockReply>(bytes, [&](const fb::StockReply& table) {
    assign(out.product_id, table.product_id());
    out.index = table.index();
    out.known = table.known();
    out.granted = table.granted();
    out.price = table.price();
    assign(out.name, table.name());
  });
}

SchemaPtr Serde<StockReply>::schema() { return internal::table_schema<fb::StockReply>(); }

void Serde<User>::serialize(const User& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder, write_user(builder, value), out);
}

void Serde<User>::deserialize(BytesView bytes, User& out) {
  read_table<fb::User>(bytes, [&](const fb::User& table) { read_user(table, out); });
}

SchemaPtr Serde<User>::schema() { return internal::table_schema<fb::User>(); }

void Serde<AccountCommand>::serialize(const AccountCommand& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto order_id = text(builder, value.order_id);
  const auto command_id = text(builder, value.command_id);
  finish(builder,
         fb::CreateAccountCommand(builder, value.kind, value.amount, order_id, command_id), out);
}

void Serde<AccountCommand>::deserialize(BytesView bytes, AccountCommand& out) {
  read_table<fb::AccountCommand>(bytes, [&](const fb::AccountCommand& table) {
    out.kind = table.kind();
    out.amount = table.amount();
    assign(out.order_id, table.order_id());
    assign(out.command_id, table.command_id());
  });
}

SchemaPtr Serde<AccountCommand>::schema() { return internal::table_schema<fb::AccountCommand>(); }

void Serde<Account>::serialize(const Account& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder,
         fb::CreateAccount(builder, value.deposited, value.balance, value.paid, value.refunded,
                           value.accepted),
         out);
}

void Serde<Account>::deserialize(BytesView bytes, Account& out) {
  read_table<fb::Account>(bytes, [&](const fb::Account& table) {
    out.deposited = table.deposited();
    out.balance = table.balance();
    out.paid = table.paid();
    out.refunded = table.refunded();
    out.accepted = table.accepted();
  });
}

SchemaPtr Serde<Account>::schema() { return internal::table_schema<fb::Account>(); }

void Serde<PaymentReply>::serialize(const PaymentReply& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto payment_id = text(builder, value.payment_id);
  finish(builder,
         fb::CreatePaymentReply(builder, value.accepted, payment_id, value.amount, value.charged,
                                value.unknown),
         out);
}

void Serde<PaymentReply>::deserialize(BytesView bytes, PaymentReply& out) {
  read_table<fb::PaymentReply>(bytes, [&](const fb::PaymentReply& table) {
    out.accepted = table.accepted();
    assign(out.payment_id, table.payment_id());
    out.amount = table.amount();
    out.charged = table.charged();
    out.unknown = table.unknown();
  });
}

SchemaPtr Serde<PaymentReply>::schema() { return internal::table_schema<fb::PaymentReply>(); }

}  // namespace thalweg
