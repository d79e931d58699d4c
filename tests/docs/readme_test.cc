// What the documents say about files is so.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

const fs::path kRoot = THALWEG_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The fenced blocks of that language, in order.
std::vector<std::string> code_blocks(const std::string& markdown, const std::string& language) {
  const std::string fence = "```" + language + "\n";
  std::vector<std::string> blocks;
  for (auto at = markdown.find(fence); at != std::string::npos; at = markdown.find(fence, at)) {
    at += fence.size();
    const auto end = markdown.find("```", at);
    blocks.push_back(markdown.substr(at, end - at));
    at = end;
  }
  return blocks;
}

// The document without its fenced blocks.
std::string prose_of(const fs::path& document) {
  std::istringstream lines(text_of(document));
  std::string prose;
  bool fenced = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) fenced = !fenced;
    if (!fenced) prose += line + '\n';
  }
  return prose;
}

// Every document: at the top of the tree and under docs/.
std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  const auto take = [&](const fs::directory_entry& entry) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  };
  for (const auto& entry : fs::directory_iterator(kRoot)) take(entry);
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "docs")) take(entry);
  return found;
}

TEST(Documents, ReadmeShowsTheExampleThatIsCompiled) {
  EXPECT_THAT(code_blocks(text_of(kRoot / "README.md"), "cpp"),
              Contains(text_of(kRoot / "docs/examples/word_count.cc")));
}

// `Suite.Name` of every test under tests/.
std::set<std::string> tests() {
  const std::regex test(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    if (entry.path().extension() != ".cc") continue;
    const auto text = text_of(entry.path());
    for (std::sregex_iterator match(text.begin(), text.end(), test), end; match != end; ++match) {
      names.insert((*match)[1].str() + "." + (*match)[2].str());
    }
  }
  return names;
}

TEST(Documents, TheTestsThatShowARuleExist) {
  const std::regex named(R"(`(\w+\.\w+)`(?=,| \|))");
  const auto rules = text_of(kRoot / "docs/kafka-streams-rules.md");
  const auto existing = tests();
  std::vector<std::string> missing;
  std::size_t found = 0;
  for (std::sregex_iterator match(rules.begin(), rules.end(), named), end; match != end; ++match) {
    ++found;
    if (!existing.contains((*match)[1].str())) missing.push_back((*match)[1].str());
  }
  EXPECT_GT(found, 100u);
  EXPECT_THAT(missing, IsEmpty());
}

TEST(Documents, LinksLeadToFilesThatExist) {
  const std::regex link(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  std::vector<std::string> broken;
  for (const auto& document : documents()) {
    const auto text = prose_of(document);
    for (std::sregex_iterator match(text.begin(), text.end(), link), end; match != end; ++match) {
      const fs::path target = document.parent_path() / (*match)[1].str();
      if (!fs::exists(target)) broken.push_back(document.string() + " -> " + (*match)[1].str());
    }
  }

  EXPECT_THAT(broken, IsEmpty());
}

// `runtime/worker.h` in backquotes is a claim that the file is there.
TEST(Documents, FilesAreNamedAsTheyAre) {
  const std::regex path(
      R"(`((?:schemas|state|topology|runtime|apps|tests|bench|docs|scripts|cmake)/[\w./-]*)`)");
  std::vector<std::string> missing;
  std::size_t named = 0;
  for (const auto& document : documents()) {
    const auto text = prose_of(document);
    for (std::sregex_iterator match(text.begin(), text.end(), path), end; match != end; ++match) {
      ++named;
      if (!fs::exists(kRoot / (*match)[1].str())) {
        missing.push_back(document.string() + ": " + (*match)[1].str());
      }
    }
  }

  EXPECT_THAT(missing, IsEmpty());
  EXPECT_GT(named, 0u);
}

TEST(Documents, DecisionsAreNumberedWithoutGaps) {
  std::vector<std::string> numbers;
  for (const auto& entry : fs::directory_iterator(kRoot / "docs/decisions")) {
    numbers.push_back(entry.path().filename().string().substr(0, 4));
  }
  std::ranges::sort(numbers);

  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(std::stoul(numbers[i]), i + 1) << "after " << (i ? numbers[i - 1] : "none");
  }
  EXPECT_THAT(numbers, Not(IsEmpty()));
}

}  // namespace
}  // namespace thalweg
