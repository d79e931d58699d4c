// What the tool says of itself, and to those who call it wrongly.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_process.h"
#include "thalweg_cli/cli_run.h"

namespace thalweg::cli_story {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Usage, HelpNamesEveryCommandAndEveryExitCode) {
  const auto ran = thalweg({"--help"});

  EXPECT_EQ(ran.code, 0);
  for (const char* command : {"describe", "topics", "stores", "dlq", "config", "topology",
                              "completion", "THALWEG_URL", "Exit codes"}) {
    EXPECT_THAT(ran.out, HasSubstr(command));
  }
}

TEST(Usage, ThePageInTheDocumentsIsWhatHelpSays) {
  const auto page = thalweg({"reference"});
  const std::string made = THALWEG_CLI_MADE "/cli.md";
  std::ofstream(made) << page.out;

  std::ifstream file(THALWEG_SOURCE_DIR "/docs/cli.md");
  const std::string kept{std::istreambuf_iterator<char>(file), {}};

  EXPECT_EQ(kept, page.out) << "bring it up to date: cp " << made << " docs/cli.md";
}

TEST(Usage, AWrongWordIsRefusedWithTheRightOne) {
  const auto ran = thalweg({"stores", "gett", "orders"});

  EXPECT_EQ(ran.code, 64);
  EXPECT_THAT(ran.err, HasSubstr("did you mean `thalweg stores get`?"));
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST(Usage, AnUnknownCommandIsNamedWithTheNearest) {
  const auto first = thalweg({"topcs", "list"});
  const auto second = thalweg({"stores", "scam", "orders"});
  const auto unlike = thalweg({"xyzzyxyzzy"});

  EXPECT_EQ(first.code, 64);
  EXPECT_THAT(first.err, AllOf(HasSubstr("'thalweg topcs'"), HasSubstr("`thalweg topics`?")));
  EXPECT_EQ(second.code, 64);
  EXPECT_THAT(second.err, HasSubstr("did you mean `thalweg stores scan`?"));
  EXPECT_EQ(unlike.code, 64);
  EXPECT_THAT(unlike.err, AllOf(HasSubstr("xyzzyxyzzy"), HasSubstr("--help")));
}

TEST(Usage, HelpIsACommandToo) {
  const auto ran = thalweg({"help"});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, thalweg({"--help"}).out);
}

TEST(Usage, AnEmptyArgumentIsNotTakenForNone) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"config", "check", ""},
                                             {"describe", ""},
                                             {"stores", "list", "-d", ""},
                                             {"stores", "list", "-a", ""},
                                             {"topology", "diff", "", ""},
                                             {"stores", "scan", "stock", "--to", ""}}) {
    const auto ran = thalweg(arguments);

    EXPECT_EQ(ran.code, 64) << arguments.front();
    EXPECT_THAT(ran.err, HasSubstr("must not be empty")) << arguments.front();
  }
}

TEST(Usage, WhatWasGivenDoesNotSteerTheTerminal) {
  const auto ran = thalweg({"describe",
                            "no\x1b[31m\xc2\x9b"
                            "1mthere"});

  EXPECT_EQ(ran.code, 66);
  EXPECT_THAT(ran.err, HasSubstr(R"(no\x1b[31m\x9b1mthere)"));
}

TEST(Usage, AnAddressThatIsNoneIsRefusedWithItsForm) {
  const auto ran = thalweg({"topics", "list", "--url", "localhost:8080"});

  EXPECT_EQ(ran.code, 64);
  EXPECT_THAT(ran.err, HasSubstr("http://HOST:PORT"));
}

TEST(Usage, NobodyThereIsSaidWithWhatToDo) {
  const auto ran = thalweg(
      {"topics", "list", "--url", "http://127.0.0.1:" + std::to_string(end_to_end::free_port())});

  EXPECT_EQ(ran.code, 69);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("no answer from http://127.0.0.1"), HasSubstr("--url")));
}

/// What bash offers for the last of these words, one a line, in the directory of `there`.
std::string offered(const std::string& words, const std::filesystem::path& there = ".") {
  const end_to_end::TemporaryDirectory directory;
  const auto file = [&](const char* name) { return (directory.path() / name).string(); };
  std::ofstream(file("script")) << "source <(" THALWEG_CLI_BINARY " completion bash)\ncd '"
                                << there.string() << "'\n"
                                << "COMP_WORDS=(" << words
                                << "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                << "_thalweg; printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  EXPECT_EQ(std::system(("bash " + file("script") + " > " + file("out")).c_str()), 0);
  std::ifstream out(file("out"));
  return {std::istreambuf_iterator<char>(out), {}};
}

TEST(Usage, CompletionKnowsCommandsAndOptionsOfEachLevel) {
  EXPECT_EQ(offered("thalweg --url x stores sc"), "scan\n");
  EXPECT_EQ(offered("thalweg topics tail t --fo"), "--follow\n");
  EXPECT_EQ(offered("thalweg topics tail -f --since"), "--since\n") << "-f takes no value here";
}

TEST(Usage, CompletionKnowsValues) {
  EXPECT_EQ(offered("thalweg completion z"), "zsh\n");
  EXPECT_EQ(offered("thalweg stores list -o ''"), "table\njson\n");
  EXPECT_EQ(offered("thalweg describe -f s"), "svg\n");
}

TEST(Usage, CompletionOffersFilesWhereFilesAreTaken) {
  const end_to_end::TemporaryDirectory directory;
  std::ofstream(directory.path() / "my file.json") << "{}";

  EXPECT_EQ(offered("thalweg config check ''", directory.path()), "my file.json\n");
  EXPECT_EQ(offered("thalweg topology diff a.json my", directory.path()), "my file.json\n");
}

TEST(Usage, EveryShellGetsEveryCommand) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto ran = thalweg({"completion", shell});

    EXPECT_EQ(ran.code, 0);
    for (const char* word : {"describe", "discard", "from-beginning", "application"}) {
      EXPECT_THAT(ran.out, HasSubstr(word)) << shell;
    }
  }
  EXPECT_EQ(thalweg({"completion", "tcsh"}).code, 64);
}

class Settings : public ::testing::Test {
 protected:
  std::string file_says(const std::string& text) {
    const std::string path = directory_.path().string() + "/app.toml";
    std::ofstream(path) << text;
    return path;
  }
  end_to_end::TemporaryDirectory directory_;
};

TEST_F(Settings, ThatAreValidAreSaidToBe) {
  const auto ran = thalweg({"config", "check", file_says("num.stream.threads = 2\n")});

  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Settings, OfAFileThatIsNotThereAreNotCalledInvalid) {
  const auto ran = thalweg({"config", "check", "nowhere.toml"});

  EXPECT_EQ(ran.code, 66);
  EXPECT_THAT(ran.err, HasSubstr("cannot read nowhere.toml"));
}

TEST_F(Settings, FaultsAreToldWithPlaceAndNearestKey) {
  const auto ran = thalweg({"config", "check", file_says("num.stream.thread = 2\n")});

  EXPECT_EQ(ran.code, 78);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("app.toml"), HasSubstr("num.stream.threads")));
}

TEST_F(Settings, AreShownWithWhereTheyComeFrom) {
  const auto ran = thalweg({"config", "show", "--json", "--changed", "--set",
                            "commit.interval.ms=250", file_says("num.stream.threads = 2\n")});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(R"("key":"commit.interval.ms","value":"250","origin":"--set")"));
  EXPECT_THAT(ran.out, HasSubstr(R"("key":"num.stream.threads","value":"2")"));
  EXPECT_THAT(ran.out, Not(HasSubstr(R"("origin":"default")")));
}

TEST_F(Settings, OfTheApplicationItselfAreLetThrough) {
  const auto file = file_says("shop.timezone = 'UTC'\n");

  EXPECT_EQ(thalweg({"config", "check", file}).code, 78);
  EXPECT_EQ(thalweg({"config", "check", file, "--allow", "shop.*"}).code, 0);
}

}  // namespace
}  // namespace thalweg::cli_story
