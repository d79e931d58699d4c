// All rows of a store, page by page or as lines, where several partitions have the same key.

#include "query/query_story.h"
#include "query/query_text.h"

namespace thalweg::testing {
namespace {

class StoreScans : public QueryStory {
 protected:
  // How many orders each task has seen placed, paid and sent.
  void add_funnel() {
    shop_->add_store<std::string, std::int64_t>("funnel", 3);
    for (const std::string step : {"paid", "placed", "sent"}) {
      for (const std::int32_t task : {0, 1, 2}) {
        if (step == "placed" && task == 1) continue;
        shop_->put_into<std::string, std::int64_t>("funnel", task, step, 1);
      }
    }
  }
  // The rows of all pages, each followed to the next by its cursor: their keys and partitions.
  std::string walk(const std::string& parameters) {
    std::string rows, cursor;
    for (int pages = 0; pages < 20; ++pages) {
      const auto page = body_of("/v1/stores/funnel/keys?" + parameters + "&cursor=" + cursor);
      const auto items = member(page, "items");
      const auto elements = internal::json_elements(items);
      if (!elements) return "not a page: " + page;
      for (const auto element : *elements) {
        const std::string row(element);
        const auto key = internal::json_string(member(row, "key")).value_or("?");
        rows += key + member(row, "partition") + " ";
      }
      cursor = internal::json_string(member(page, "next_cursor")).value_or("");
      if (cursor.empty()) return rows;
    }
    return "pages without end";
  }
};

// Rows of the key that a page ended with were left out where later partitions had it too.
TEST_F(StoreScans, PagesLoseNoRowOfAKeyThatSeveralPartitionsHave) {
  add_funnel();
  start();
  for (const std::string limit : {"limit=1", "limit=2", "limit=3", "limit=5", "limit=8"}) {
    EXPECT_EQ(walk(limit), "paid0 paid1 paid2 placed0 placed2 sent0 sent1 sent2 ") << limit;
    EXPECT_EQ(walk(limit + "&reverse=true"), "sent2 sent1 sent0 placed2 placed0 paid2 paid1 paid0 ")
        << limit;
  }
}

TEST_F(StoreScans, PagesOfAPartOfAStoreLoseNoRowOfThePartitionsThatAreHere) {
  add_funnel();
  shop_->lose("funnel", 0);
  start();

  EXPECT_EQ(walk("partial=true&limit=1"), "paid1 paid2 placed2 sent1 sent2 ");
  EXPECT_EQ(walk("partial=true&limit=1&reverse=true"), "sent2 sent1 placed2 paid2 paid1 ");
}

TEST_F(StoreScans, ACursorKeepsToTheBounds) {
  add_funnel();
  start();

  EXPECT_EQ(walk("limit=2&from=placed&to=sent"), "placed0 placed2 ");
  EXPECT_EQ(walk("limit=1&prefix=pa&reverse=true"), "paid2 paid1 paid0 ");
}

TEST_F(StoreScans, AnEmptyCursorIsNone) {
  add_funnel();
  start();
  const std::string all = "/v1/stores/funnel/keys";

  EXPECT_EQ(body_of(all + "?cursor="), body_of(all));
  EXPECT_EQ(body_of(all + "?reverse=true&cursor="), body_of(all + "?reverse=true"));
}

TEST_F(StoreScans, LinesAreForThoseWhoNameAndDoNotRefuseThem) {
  add_funnel();
  start();
  const auto type_for = [&](const std::string& accept) {
    return get("/v1/stores/funnel/keys", "Accept: " + accept + "\r\n").header("content-type");
  };

  for (const char* lines :
       {"application/x-ndjson", "Application/X-NDJSON", "text/html, application/x-ndjson;q=0.1",
        "application/x-ndjson ; charset=utf-8; q=1.0 , */*", "application/x-ndjson;q=0.001"}) {
    EXPECT_EQ(type_for(lines), "application/x-ndjson") << lines;
  }
  for (const char* page : {"application/x-ndjson;q=0", "application/x-ndjson; Q=0.000, */*",
                           "application/x-ndjson-too", "*/*", "", ",;=,"}) {
    EXPECT_EQ(type_for(page), "application/json") << page;
  }
}

TEST_F(StoreScans, TheHeadOfLinesSaysNoLength) {
  add_funnel();
  start();
  const auto client = connect();

  const auto lines =
      client->request("HEAD", "/v1/stores/funnel/keys", "", "Accept: application/x-ndjson\r\n");
  const auto page = client->request("HEAD", "/v1/stores/funnel/keys", "");

  EXPECT_EQ(lines.header("content-type"), "application/x-ndjson");
  EXPECT_EQ(lines.header("content-length"), "");
  EXPECT_EQ(page.header("content-length"),
            std::to_string(body_of("/v1/stores/funnel/keys").size()));
}

}  // namespace
}  // namespace thalweg::testing
