// What FlatBuffers tables promise: read in place after verification, shown as JSON whatever the
// verified bytes hold, made from JSON with errors that name the field.
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <thalweg/schemas/flatbuffers_serde.h>
#include <thalweg/schemas/json.h>

#include "sample_common_generated.h"
#include "sample_generated.h"

namespace thalweg {
namespace {

using testing::HasSubstr;

static_assert(Serializable<sample::OrderT>);
static_assert(Serializable<Flat<sample::Order>>);
static_assert(Serializable<Flat<sample::Money>>);

template <typename T>
std::string serialized(const T& value) {
  std::string bytes;
  Serde<T>::serialize(value, bytes);
  return bytes;
}

template <typename T>
T deserialized(BytesView bytes) {
  T value{};
  Serde<T>::deserialize(bytes, value);
  return value;
}

template <typename Table>
std::string json_of(BytesView bytes) {
  std::string json;
  Serde<Flat<Table>>::schema()->to_json(bytes, json);
  return json;
}

template <typename Table>
std::string bytes_of(std::string_view json) {
  std::string bytes;
  Serde<Flat<Table>>::schema()->from_json(json, bytes);
  return bytes;
}

template <typename Table>
std::string error_from(std::string_view json) {
  try {
    bytes_of<Table>(json);
  } catch (const SerdeError& error) {
    return error.what();
  }
  return "no error";
}

void expect_is_json(const std::string& text) {
  JsonText json;
  EXPECT_NO_THROW(Serde<JsonText>::deserialize(text, json)) << text;
}

sample::OrderT small_order() {
  sample::OrderT order;
  order.order_id = "order-1";
  order.status = sample::Status::Shipped;
  order.total = std::make_unique<sample::MoneyT>();
  order.total->currency = "KRW";
  order.total->amount = 9'007'199'254'740'993;  // Not a double.
  order.lines.push_back(std::make_unique<sample::LineT>());
  order.lines.back()->sku = "sneaker-42";
  return order;
}

/// Every field set, so that damaging its bytes reaches all of the schema.
sample::OrderT full_order() {
  sample::OrderT order = small_order();
  order.where = std::make_unique<sample::Point>(3, -0.25);
  order.tags = {"", "\"quoted\"", "한글"};
  order.path = {sample::Point(1, 1.5), sample::Point(2, 2.5)};
  order.bytes = {0, 255, 7};
  order.statuses = {sample::Status::Placed, sample::Status::Paid};
  order.weight = 1e300;
  order.count = std::numeric_limits<std::uint64_t>::max();
  order.discount = -5;
  order.is_gift = true;
  order.flags = sample::Flags::Gift;
  order.payment.Set(sample::CardT{});
  order.payment.AsCard()->number = "4111";
  order.payments.resize(4);
  order.payments[0].Set(std::string("cash"));
  order.payments[1].Set(sample::Point(8, 9));
  order.payments[2].Set(sample::MoneyT{});
  order.payments[3].Set(sample::CardT{});
  const std::int16_t numbers[] = {1, -2, 3};
  order.cells = std::make_unique<sample::Cells>(numbers, sample::Point(4, 5));
  order.parent = std::make_unique<sample::OrderT>(small_order());
  return order;
}

TEST(FlatTables, AreReadInPlace) {
  const auto order = deserialized<Flat<sample::Order>>(serialized(small_order()));

  EXPECT_EQ(order->order_id()->string_view(), "order-1");
  EXPECT_EQ(order->lines()->Get(0)->sku()->string_view(), "sneaker-42");
  EXPECT_EQ(serialized(order), order.bytes());
}

TEST(FlatTables, AreMadeFromAFinishedBuilder) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(sample::CreateMoneyDirect(builder, "EUR", 12));

  const Flat<sample::Money> money(builder);

  EXPECT_EQ(money->amount(), 12);
  EXPECT_EQ(deserialized<Flat<sample::Money>>(money.bytes()), money);
}

TEST(FlatTables, RefuseBytesThatAreNoTable) {
  Flat<sample::Order> order = deserialized<Flat<sample::Order>>(serialized(small_order()));

  try {
    Serde<Flat<sample::Order>>::deserialize("nonsense", order);
    FAIL() << "nonsense was read";
  } catch (const SerdeError& error) {
    EXPECT_STREQ(error.what(), "not a valid sample.Order (8 bytes)");
  }
  EXPECT_TRUE(order.empty());
}

TEST(FlatTables, NestedTooDeeplyAreRefused) {
  sample::OrderT order = small_order();
  for (int i = 0; i < 40; ++i) {
    sample::OrderT outer = small_order();
    outer.parent = std::make_unique<sample::OrderT>(std::move(order));
    order = std::move(outer);
  }

  EXPECT_THROW(deserialized<sample::OrderT>(serialized(order)), SerdeError);
}

// Orders are compared by their bytes: flatc's own == compares the addresses of fixed-size arrays.
TEST(UnpackedTables, ReadBackWhatWasWritten) {
  const std::string bytes = serialized(full_order());
  const auto order = deserialized<sample::OrderT>(bytes);

  EXPECT_EQ(serialized(order), bytes);
  EXPECT_EQ(order.cells->numbers()->Get(1), -2);
  EXPECT_EQ(*order.total, *full_order().total);
  EXPECT_EQ(order.payments[0].AsNote()->c_str(), std::string("cash"));
}

TEST(UnpackedTables, ReadFromAnyAddress) {
  const std::string bytes = serialized(full_order());
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const std::string shifted = std::string(shift, '#') + bytes;
    const BytesView view = BytesView(shifted).substr(shift);

    EXPECT_EQ(serialized(deserialized<sample::OrderT>(view)), bytes);
    EXPECT_EQ(deserialized<Flat<sample::Order>>(view)->total()->currency()->string_view(), "KRW");
  }
}

TEST(UnpackedTables, ReplaceWhatWasThere) {
  sample::OrderT reused = full_order();
  Serde<sample::OrderT>::deserialize(serialized(small_order()), reused);

  EXPECT_EQ(reused, small_order());
}

TEST(UnpackedTables, AreTheSameBytesWhateverTheBuilderHeldBefore) {
  std::string fresh;
  std::thread([&fresh] { fresh = serialized(full_order()); }).join();
  sample::LineT dirt;
  dirt.sku = std::string(4000, '\xee');
  serialized(dirt);

  EXPECT_EQ(serialized(full_order()), fresh);
}

TEST(TableSchemas, ShowATableAsJson) {
  EXPECT_EQ(json_of<sample::Order>(serialized(small_order())),
            R"({"order_id":"order-1","status":"Shipped",)"
            R"("total":{"currency":"KRW","amount":9007199254740993},)"
            R"("lines":[{"sku":"sneaker-42","quantity":1}],"weight":0,"ratio":0.5,"count":0,)"
            R"("is_gift":false,"payment_type":"NONE","flags":0})");
}

TEST(TableSchemas, ShowEveryKindOfField) {
  const std::string json = json_of<sample::Order>(serialized(full_order()));

  expect_is_json(json);
  for (const char* part :
       {R"("where":{"x":3,"y":-0.25})", R"("tags":["","\"quoted\"","한글"])",
        R"("path":[{"x":1,"y":1.5},{"x":2,"y":2.5}])", R"("bytes":[0,255,7])",
        R"("statuses":["Placed","Paid"])", R"("weight":1e+300)", R"("count":18446744073709551615)",
        R"("discount":-5)", R"("is_gift":true)",
        R"("payment_type":"Card","payment":{"number":"4111"})",
        R"("payments_type":["Note","Spot","Money","Card"])",
        R"("payments":["cash",{"x":8,"y":9},{"currency":"","amount":0},{)",
        R"("cells":{"numbers":[1,-2,3],"corner":{"x":4,"y":5}})", R"("flags":"Gift")",
        R"("parent":{"order_id":"order-1")"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
}

TEST(TableSchemas, ShowBadTextAndNumbersAsValidJson) {
  sample::OrderT order = small_order();
  order.order_id = "bad \xff text";
  order.weight = std::numeric_limits<double>::quiet_NaN();
  order.ratio = -std::numeric_limits<float>::infinity();
  order.status = static_cast<sample::Status>(99);

  const std::string json = json_of<sample::Order>(serialized(order));

  expect_is_json(json);
  EXPECT_THAT(json, HasSubstr("\"bad \xef\xbf\xbd text\""));
  EXPECT_THAT(json, HasSubstr(R"("status":99)"));
  EXPECT_THAT(json, HasSubstr(R"("weight":"NaN","ratio":"-Infinity")"));
}

TEST(TableSchemas, RefuseTextThatIsMuchLargerThanItsBytes) {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(1'000'000, 'x'));
  const std::vector<flatbuffers::Offset<flatbuffers::String>> tags(1000, text);
  const auto all = builder.CreateVector(tags);
  const auto id = builder.CreateString("bomb");
  sample::OrderBuilder order(builder);
  order.add_order_id(id);
  order.add_tags(all);
  builder.Finish(order.Finish());

  EXPECT_THROW(json_of<sample::Order>(Flat<sample::Order>(builder).bytes()), SerdeError);
}

TEST(TableSchemas, ReadBackTheJsonTheyShow) {
  const std::string bytes = serialized(full_order());

  const std::string copy = bytes_of<sample::Order>(json_of<sample::Order>(bytes));

  EXPECT_EQ(serialized(deserialized<sample::OrderT>(copy)), bytes);
}

TEST(TableSchemas, ReadNumbersThatJsonHasNot) {
  const auto order = deserialized<sample::OrderT>(
      bytes_of<sample::Order>(R"({"order_id":"1","weight":"-Infinity","ratio":"NaN"})"));

  EXPECT_EQ(order.weight, -std::numeric_limits<double>::infinity());
  EXPECT_NE(order.ratio, order.ratio);
}

TEST(TableSchemas, WorkForTablesThatAreNotTheRootOfTheirFile) {
  EXPECT_EQ(Serde<sample::LineT>::schema()->name(), "sample.Line");
  EXPECT_EQ(json_of<sample::Line>(bytes_of<sample::Line>(R"({"sku":"a","quantity":3})")),
            R"({"sku":"a","quantity":3})");
  EXPECT_EQ(json_of<sample::Money>(bytes_of<sample::Money>(R"({"currency":"KRW"})")),
            R"({"currency":"KRW","amount":0})");
  EXPECT_THAT(error_from<sample::Line>(R"({"order_id":"1"})"), HasSubstr("order_id"));
}

TEST(TableSchemas, NameTheFieldThatIsWrong) {
  EXPECT_THAT(error_from<sample::Order>(R"({"order_id":"1","colour":3})"),
              testing::AllOf(HasSubstr("sample.Order"), HasSubstr("colour")));
  EXPECT_THAT(error_from<sample::Order>("{}"), HasSubstr("order_id"));
  EXPECT_THAT(error_from<sample::Order>(R"({"order_id":"1","status":"Lost"})"), HasSubstr("Lost"));
  EXPECT_THAT(error_from<sample::Order>(R"({"order_id":"1","lines":{}})"), HasSubstr("error"));
  EXPECT_THAT(error_from<sample::Order>(R"({"order_id":"1","discount":99999999999})"),
              HasSubstr("99999999999"));
}

TEST(TableSchemas, ReadNothingButJson) {
  for (const std::string bad :
       {"", "{order_id:\"1\"}", "table X { a:int; }", "root_type Line;", "{\"order_id\":\"1\"} x",
        "{\"order_id\":\"1\",}", "[]", "null", "{\"order_id\":\"1\",\"weight\":sin(1)}"}) {
    EXPECT_NE(error_from<sample::Order>(bad), "no error") << bad;
  }
  EXPECT_NE(error_from<sample::Order>(std::string("{\"order_id\":\"1\"}\0", 17)), "no error");
  EXPECT_EQ(error_from<sample::Order>(R"({"order_id":"1"})"), "no error");
}

TEST(TableSchemas, ServeManyThreadsAtOnce) {
  const std::string bytes = serialized(full_order());
  std::vector<std::thread> threads;
  std::vector<int> equal(4, 0);
  for (int& count : equal) {
    threads.emplace_back([&bytes, &count] {
      for (int i = 0; i < 50; ++i) {
        const std::string copy = bytes_of<sample::Order>(json_of<sample::Order>(bytes));
        if (serialized(deserialized<sample::OrderT>(copy)) == bytes) ++count;
        EXPECT_NE(error_from<sample::Order>("{}"), "no error");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(equal, testing::Each(50));
}

TEST(TableSchemas, WithoutTheirTableAreRefusedWhenMade) {
  const auto any = [](BytesView) { return true; };

  EXPECT_THROW(flatbuffers_schema("sample.Nothing", BinarySchema<sample::Order>::bytes(), any),
               std::invalid_argument);
  EXPECT_THROW(flatbuffers_schema("sample.Order", "no schema at all", any), std::invalid_argument);
}

/// Reads damaged bytes in every way there is: nothing may crash, and what was verified has a view.
void reads_or_refuses(const std::string& bytes) {
  std::string json;
  try {
    json = json_of<sample::Order>(bytes);
  } catch (const SerdeError&) {
    return;
  }
  expect_is_json(json);
  deserialized<sample::OrderT>(bytes);
  deserialized<Flat<sample::Order>>(bytes);
}

TEST(DamagedTables, WithAnyOneByteChangedAreReadOrRefused) {
  const std::string bytes = serialized(full_order());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int change : {0x01, 0x02, 0x04, 0x08, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      reads_or_refuses(damaged);
    }
  }
}

TEST(DamagedTables, CutAnywhereAreReadOrRefused) {
  const std::string bytes = serialized(full_order());
  for (std::size_t size = 0; size < bytes.size(); ++size) reads_or_refuses(bytes.substr(0, size));
}

RC_GTEST_PROP(DamagedTables, InSeveralPlacesAreReadOrRefused, ()) {
  std::string bytes = serialized(full_order());
  const auto changes =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<int, int>>>(rc::gen::pair(
          rc::gen::inRange<int>(0, static_cast<int>(bytes.size())), rc::gen::inRange(0, 256))));
  for (const auto& [at, value] : changes) {
    bytes[static_cast<std::size_t>(at)] = static_cast<char>(value);
  }
  reads_or_refuses(bytes);
}

RC_GTEST_PROP(DamagedTables, OfAnyBytesAreReadOrRefused, (const std::string& bytes)) {
  reads_or_refuses(bytes);
}

}  // namespace
}  // namespace thalweg
