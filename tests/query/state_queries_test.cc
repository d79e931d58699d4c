#include <thalweg/schemas/json.h>

#include "query/query_story.h"
#include "query/query_text.h"

namespace thalweg::testing {

std::string member(const std::string& object, const std::string& name) {
  if (!internal::check_json_text(object)) return "(not JSON)";
  const auto members = internal::json_members(object);
  if (!members) return "(no object)";
  for (const auto& [key, value] : *members) {
    if (key == name) return std::string(value);
  }
  return "";
}

namespace {

class StateQueries : public QueryStory {
 protected:
  void stock_of(const std::string& product, std::int64_t pieces) {
    shop_->put<std::string, std::int64_t>("stock", product, pieces);
  }
  void start_with_stock() {
    shop_->add_store<std::string, std::int64_t>("stock", 3);
    for (int i = 0; i < 10; ++i) stock_of("sneaker-" + std::to_string(i), i);
    start();
  }
  // The keys of a page, in order, and its cursor.
  std::string keys_of(const std::string& page) {
    std::string keys;
    const auto items = member(page, "items");
    const auto elements = internal::json_elements(items);
    if (!elements) return "(no items)";
    for (const auto row : *elements) {
      const auto key = internal::json_string(member(std::string(row), "key"));
      keys += key.value_or("?").substr(key.value_or("?").size() - 1);
    }
    return keys;
  }
  std::string cursor_of(const std::string& page) {
    return internal::json_string(member(page, "next_cursor")).value_or("");
  }
};

// --- One row
// --------------------------------------------------------------------------------------

TEST_F(StateQueries, ARowIsShownWithItsKeyValueTimeAndPartition) {
  start_with_stock();

  const auto row = body_of("/v1/stores/stock/keys/sneaker-7");

  EXPECT_EQ(member(row, "key"), "\"sneaker-7\"");
  EXPECT_EQ(member(row, "value"), "7");
  EXPECT_EQ(member(row, "timestamp"), "1000");
  EXPECT_EQ(member(row, "partition"), std::to_string(partition_of("sneaker-7", 3)));
}

TEST_F(StateQueries, AKeyThatIsNotThereIs404) {
  start_with_stock();

  const auto response = get("/v1/stores/stock/keys/sandal");

  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.header("content-type"), "application/problem+json");
  EXPECT_EQ(member(response.body, "code"), "\"not_found\"");
}

TEST_F(StateQueries, AStoreThatIsNotThereIs404AndTheLikelyOneIsNamed) {
  start_with_stock();

  const auto response = get("/v1/stores/stok/keys/sneaker-1");

  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(member(response.body, "code"), "\"unknown_store\"");
  EXPECT_EQ(member(response.body, "hint"), "\"did you mean 'stock'?\"");
}

TEST_F(StateQueries, KeysAreReadByTheSchemaOfTheStore) {
  const Uuid id = uuid_from_string("01234567-89ab-cdef-0123-456789abcdef");
  shop_->add_store<std::int64_t, std::string>("by-number", 1);
  shop_->put<std::int64_t, std::string>("by-number", -42, "minus");
  shop_->add_store<Uuid, std::string>("by-uuid", 1);
  shop_->put<Uuid, std::string>("by-uuid", id, "uuid");
  shop_->add_store<Bytes, std::string>("by-bytes", 1);
  shop_->put<Bytes, std::string>("by-bytes", Bytes{"\xff\xfe"}, "bytes");
  start();

  for (const char* key :
       {"-42", "i64:-42", "json:-42", "b64:_________9Y", "b64:%2F%2F%2F%2F%2F%2F%2F%2F%2F9Y%3D"}) {
    EXPECT_EQ(member(body_of("/v1/stores/by-number/keys/" + std::string(key)), "value"),
              "\"minus\"")
        << key;
  }
  EXPECT_EQ(member(body_of("/v1/stores/by-uuid/keys/" + to_string(id)), "value"), "\"uuid\"");
  EXPECT_EQ(member(body_of("/v1/stores/by-bytes/keys/b64:__4"), "value"), "\"bytes\"");
}

TEST_F(StateQueries, StringKeysMayBeginLikeOneOfAnotherType) {
  shop_->add_store<std::string, std::int64_t>("counts", 1);
  shop_->put<std::string, std::int64_t>("counts", "b64:x", 1);
  shop_->put<std::string, std::int64_t>("counts", "a/b", 2);
  start();

  EXPECT_EQ(member(body_of("/v1/stores/counts/keys/str:b64:x"), "value"), "1");
  EXPECT_EQ(member(body_of("/v1/stores/counts/keys/a%2Fb"), "value"), "2");
  EXPECT_EQ(member(body_of("/v1/stores/counts/keys/json:%22a%2Fb%22"), "value"), "2");
}

TEST_F(StateQueries, KeysThatCannotBeAre400) {
  shop_->add_store<std::int64_t, std::string>("by-number", 1);
  shop_->add_store<std::string, std::string>("by-text", 1);
  shop_->add_store<Bytes, std::string>("by-bytes", 1);
  start();

  for (const char* path :
       {"by-number/keys/many", "by-number/keys/i64:", "by-number/keys/i64:1.5",
        "by-number/keys/9223372036854775808", "by-number/keys/json:{}", "by-number/keys/b64:!",
        "by-text/keys/i64:1", "by-text/keys/json:1", "by-text/keys/b64:A", "by-bytes/keys/plain"}) {
    const auto response = get("/v1/stores/" + std::string(path));
    EXPECT_EQ(response.status, 400) << path;
    EXPECT_EQ(member(response.body, "code"), "\"invalid_key\"") << path;
  }
}

TEST_F(StateQueries, AValueThatDoesNotFitItsSchemaIsStillShown) {
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  shop_->put<std::string, std::string>("stock", "odd", "abc");
  start();

  const auto row = body_of("/v1/stores/stock/keys/odd");

  EXPECT_EQ(member(row, "value"), "\"YWJj\"");
  EXPECT_EQ(member(row, "value_encoding"), "\"base64\"");
}

TEST_F(StateQueries, APartitionThatIsNotHereIs503WithItsProgress) {
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  shop_->lose("stock", 0);
  shop_->restore_under_way("stock", 25, 100);
  start();

  const auto response = get("/v1/stores/stock/keys/sneaker");

  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("retry-after"), "1");
  EXPECT_EQ(member(response.body, "code"), "\"restoring\"");
  EXPECT_THAT(response.body, HasSubstr("75 of 100"));
}

// --- Where rows lie
// --------------------------------------------------------------------------------------

TEST_F(StateQueries, ARowOfAWindowedKeyIsWhereTheKeyWithinIs) {
  for (const std::size_t bytes : {8u, 16u}) {
    const std::string store = "kept-" + std::to_string(bytes);
    shop_->add_store<Bytes, std::int64_t>(store, 3);
    shop_->name_windows_in(bytes);
    const auto home = partition_of("ann", 3);
    std::string key = "ann" + std::string(bytes, '\0');
    while (partition_of(key, 3) == home) ++key.back();
    shop_->put_into<Bytes, std::int64_t>(store, home, Bytes{key}, 7);
    for (std::int32_t i = 0; i < 3; ++i) {
      if (i != home) shop_->lose(store, static_cast<std::size_t>(i));
    }
  }
  start();

  for (const std::size_t bytes : {8u, 16u}) {
    const std::string store = "kept-" + std::to_string(bytes);
    std::string key = "ann" + std::string(bytes, '\0'), text = "b64:";
    while (partition_of(key, 3) == partition_of("ann", 3)) ++key.back();
    internal::append_base64(key, true, text);

    const auto row = get("/v1/stores/" + store + "/keys/" + text);

    EXPECT_EQ(row.status, 200) << row.body;
    EXPECT_EQ(member(row.body, "value"), "7");
  }
}

TEST_F(StateQueries, AWindowedKeyIsWrittenInBytesAndWhoDoesNotIsToldOfWhich) {
  shop_->add_store<Bytes, std::int64_t>("kept", 3);
  shop_->name_windows_in(16);
  start();

  const auto plain = get("/v1/stores/kept/keys/ann");

  EXPECT_EQ(plain.status, 400);
  EXPECT_THAT(plain.body, HasSubstr("b64:..., of the key's own bytes and the 16 of its window"));
  EXPECT_EQ(get("/v1/stores/kept/keys/b64:__4").status, 404) << "shorter than a window";
}

TEST_F(StateQueries, ARowThatLiesElsewhereThanItsKeySaysIsFound) {
  shop_->add_store<std::string, std::int64_t>("stock", 3);
  const auto elsewhere = (partition_of("sandal", 3) + 2) % 3;
  shop_->put_into<std::string, std::int64_t>("stock", elsewhere, "sandal", 4);
  start();

  const auto row = body_of("/v1/stores/stock/keys/sandal");

  EXPECT_EQ(member(row, "value"), "4");
  EXPECT_EQ(member(row, "partition"), std::to_string(elsewhere));
}

TEST_F(StateQueries, AKeyThatNoPartitionHereHasIs404EvenIfOthersAreNotHere) {
  start_with_stock();
  shop_->lose("stock", static_cast<std::size_t>((partition_of("sandal", 3) + 1) % 3));

  EXPECT_EQ(get("/v1/stores/stock/keys/sandal").status, 404);
}

// --- Several applications
// -------------------------------------------------------------------------

TEST_F(StateQueries, AStoreIsFoundInWhicheverApplicationHasIt) {
  auto& views = second_application("views");
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  views.add_store<std::string, std::int64_t>("visits", 1);
  views.put<std::string, std::int64_t>("visits", "home", 5);
  start();

  EXPECT_EQ(member(body_of("/v1/stores/visits/keys/home"), "value"), "5");
  EXPECT_EQ(get("/v1/stores/visits/keys/home?application=shop").status, 404);
  EXPECT_EQ(get("/v1/stores?application=nobody").status, 404);
}

TEST_F(StateQueries, AnApplicationThatIsNotThereOrHasNotTheStoreIsToldApartFromNoSuchStore) {
  auto& views = second_application("views");
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  views.add_store<std::string, std::int64_t>("visits", 1);
  start();

  const auto nobody = get("/v1/stores/stock/keys?application=nobody");
  const auto wrong = get("/v1/stores/stock/keys/lamp?application=views");
  const auto nowhere = get("/v1/stores/stok/keys?application=views");

  EXPECT_EQ(nobody.status, 404);
  EXPECT_EQ(member(nobody.body, "code"), "\"unknown_application\"");
  EXPECT_EQ(member(nobody.body, "hint"), "\"known are: shop, views\"");
  EXPECT_EQ(wrong.status, 404);
  EXPECT_EQ(member(wrong.body, "detail"), "\"the application 'views' has no store 'stock'\"");
  EXPECT_EQ(member(wrong.body, "hint"), "\"application= with one of these has it: shop\"");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_EQ(member(nowhere.body, "hint"), "\"did you mean 'stock'?\"");
}

TEST_F(StateQueries, AStoreOfTheSameNameInTwoApplicationsNeedsTheApplicationToo) {
  auto& views = second_application("views");
  shop_->add_store<std::string, std::int64_t>("counts", 1);
  views.add_store<std::string, std::int64_t>("counts", 1);
  views.put<std::string, std::int64_t>("counts", "home", 5);
  start();

  const auto response = get("/v1/stores/counts/keys/home");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(member(response.body, "hint"), "\"add application= with one of: shop, views\"");
  EXPECT_EQ(member(body_of("/v1/stores/counts/keys/home?application=views"), "value"), "5");
}

TEST_F(StateQueries, StoresAreListedWithWhatIsKnownOfThem) {
  start_with_stock();

  const auto list = member(body_of("/v1/stores"), "items");

  EXPECT_THAT(list, HasSubstr(R"({"application":"shop","name":"stock","type":"key-value",)"
                              R"("key_schema":"string","value_schema":"i64","partitions":3,)"));
}

// --- Pages
// ----------------------------------------------------------------------------------------

TEST_F(StateQueries, RowsOfAllPartitionsComeInKeyOrder) {
  start_with_stock();

  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys")), "0123456789");
  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys?reverse=true")), "9876543210");
  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys?from=sneaker-3&to=sneaker-7")), "3456");
  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys?from=sneaker-3&to=sneaker-7&reverse")), "6543");
  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys?prefix=sneaker-4")), "4");
  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys?prefix=sneaker-&from=sneaker-8")), "89");
  EXPECT_EQ(keys_of(body_of("/v1/stores/stock/keys?prefix=boot")), "");
}

TEST_F(StateQueries, PagesFollowOneAnotherWithoutGapOrRepetition) {
  start_with_stock();
  for (const std::string direction : {"", "&reverse=true"}) {
    std::string keys, cursor;
    int pages = 0;
    do {
      const auto page = body_of("/v1/stores/stock/keys?limit=3" + direction +
                                (cursor.empty() ? "" : "&cursor=" + cursor));
      keys += keys_of(page);
      cursor = cursor_of(page);
      ++pages;
    } while (!cursor.empty());

    EXPECT_EQ(keys, direction.empty() ? "0123456789" : "9876543210");
    EXPECT_EQ(pages, 4);
  }
}

TEST_F(StateQueries, APageThatEndsWithTheLastRowHasNoCursor) {
  start_with_stock();

  EXPECT_EQ(member(body_of("/v1/stores/stock/keys?limit=10"), "next_cursor"), "null");
}

TEST_F(StateQueries, LargeStoresAreReadInPiecesAndLoseNothing) {
  shop_->add_store<std::string, std::int64_t>("stock", 4);
  for (int i = 0; i < 5000; ++i) stock_of("sneaker-" + std::to_string(100'000 + i), i);
  start();

  const auto all = get("/v1/stores/stock/keys", "Accept: application/x-ndjson\r\n");

  EXPECT_EQ(all.header("content-type"), "application/x-ndjson");
  EXPECT_TRUE(all.complete);
  std::istringstream lines(all.body);
  int rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    ASSERT_EQ(member(line, "value"), std::to_string(rows));
  }
  EXPECT_EQ(rows, 5000);
}

TEST_F(StateQueries, APageOfLargeRowsEndsBeforeItsLimitAndTheNextGoesOn) {
  shop_->add_store<std::string, std::string>("texts", 2);
  for (int i = 0; i < 12; ++i) {
    shop_->put<std::string, std::string>("texts", std::string(1, static_cast<char>('a' + i)),
                                         std::string(1 << 20, 'x'));
  }
  start();

  const auto first = body_of("/v1/stores/texts/keys");
  const auto rest = body_of("/v1/stores/texts/keys?cursor=" + cursor_of(first));

  EXPECT_EQ(keys_of(first) + keys_of(rest), "abcdefghijkl");
  EXPECT_LT(keys_of(first).size(), 12u);
}

TEST_F(StateQueries, AStreamKeepsToItsBoundsAndLimit) {
  start_with_stock();
  const auto lines_of = [&](const std::string& target) {
    const auto body = get(target, "Accept: application/x-ndjson\r\n").body;
    return std::count(body.begin(), body.end(), '\n');
  };

  EXPECT_EQ(lines_of("/v1/stores/stock/keys?from=sneaker-3"), 7);
  EXPECT_EQ(lines_of("/v1/stores/stock/keys?limit=4"), 4);
  EXPECT_EQ(lines_of("/v1/stores/stock/keys?prefix=boot"), 0);
}

TEST_F(StateQueries, ParametersThatCannotBeAre400AndNamed) {
  start_with_stock();
  for (const char* parameter :
       {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "reverse=maybe", "cursor=!",
        // Base64 of "lamp", ":lamp", "-1:lamp", "x:lamp", and of a fourth partition of three.
        "cursor=bGFtcA", "cursor=OmxhbXA", "cursor=LTE6bGFtcA", "cursor=eDpsYW1w",
        "cursor=MzpsYW1w", "visibility=never", "at_least=x", "at_least=t:0:-1", "at_least=t:x:1",
        "at_least=:0:1", "at_least=t:0:99999999999999999999"}) {
    const auto response = get("/v1/stores/stock/keys?" + std::string(parameter));
    EXPECT_EQ(response.status, 400) << parameter;
    EXPECT_EQ(member(response.body, "code"), "\"invalid_parameter\"") << parameter;
  }
}

// Each of them is waited for.
TEST_F(StateQueries, ARequestNamesSixtyFourPositionsAtMost) {
  start_with_stock();
  shop_->process_up_to({"t", 0}, 1);
  std::string positions = "t:0:1";
  for (int i = 1; i < 64; ++i) positions += ",t:0:1";

  EXPECT_EQ(get("/v1/stores/stock/keys?at_least=" + positions).status, 200);
  EXPECT_EQ(get("/v1/stores/stock/keys?at_least=" + positions + ",t:0:1").status, 400);
}

TEST_F(StateQueries, APageOfAStoreThatIsNotWhollyHereIs503UnlessAPartWillDo) {
  start_with_stock();
  shop_->lose("stock", 1);

  EXPECT_EQ(get("/v1/stores/stock/keys").status, 503);
  const auto part = body_of("/v1/stores/stock/keys?partial=true");

  EXPECT_EQ(member(part, "partial"), "true");
  EXPECT_EQ(member(part, "missing"), "[1]");
}

}  // namespace
}  // namespace thalweg::testing
