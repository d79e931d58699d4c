// thalweg completion: scripts for shells, made from what the commands declare.

#include "completion.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"

namespace thalweg::cli {
namespace {

/// One option or subcommand, as a shell offers it.
struct Word {
  std::string text;
  std::string description;
  bool takes_value = false;
};

/// What may follow a command.
struct Level {
  std::string path;  ///< "thalweg stores get"
  std::vector<Word> words;
};

std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

void add_options(const CLI::App& app, std::vector<Word>& words) {
  for (const auto* option : app.get_options()) {
    const bool takes_value = option->get_items_expected_max() > 0;
    const auto add = [&](const std::string& dashes, const std::string& name) {
      words.push_back({dashes + name, first_line(option->get_description()), takes_value});
    };
    for (const auto& name : option->get_lnames()) add("--", name);
    for (const auto& name : option->get_snames()) add("-", name);
  }
}

/// Commands first, then options: their own, and those that may stand behind any command.
void collect(const CLI::App& app, const CLI::App& root, const std::string& path,
             std::vector<Level>& levels) {
  Level level{path, {}};
  const auto children =
      app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
  for (const auto* child : children) {
    level.words.push_back({child->get_name(), first_line(child->get_description()), false});
  }
  add_options(app, level.words);
  if (&app != &root) add_options(root, level.words);
  std::vector<Word> once;
  for (auto& word : level.words) {
    if (std::ranges::find(once, word.text, &Word::text) == once.end()) once.push_back(word);
  }
  levels.push_back({path, std::move(once)});
  for (const auto* child : children) collect(*child, root, path + ' ' + child->get_name(), levels);
}

std::vector<Level> levels_of(const CLI::App& root) {
  std::vector<Level> levels;
  collect(root, root, root.get_name(), levels);
  return levels;
}

/// Within single quotes of a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string join(const std::vector<std::string>& texts, std::string_view between) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : std::string(between)) + text;
  return all;
}

/// The options that take a value, for a shell that has to skip it.
std::vector<std::string> valued_options(const std::vector<Level>& levels) {
  std::vector<std::string> names;
  for (const auto& level : levels) {
    for (const auto& word : level.words) {
      if (word.takes_value && std::ranges::find(names, word.text) == names.end()) {
        names.push_back(word.text);
      }
    }
  }
  return names;
}

/// Walks over the words before the cursor to the command they name; bash and zsh alike.
std::string find_command(const std::vector<Level>& levels, const std::string& words_before) {
  std::string out;
  out += "  local at=thalweg skip= word\n";
  out += "  for word in " + words_before + "; do\n";
  out += "    if [ -n \"$skip\" ]; then skip=; continue; fi\n";
  out += "    case \"$word\" in\n";
  out += "      " + join(valued_options(levels), "|") + ") skip=1; continue ;;\n";
  out += "    esac\n";
  out += "    case \"$at $word\" in\n";
  for (const auto& level : levels) {
    if (level.path.find(' ') == level.path.npos) continue;
    out += "      " + quoted(level.path) + ") at=\"$at $word\" ;;\n";
  }
  out += "    esac\n  done\n";
  return out;
}

std::string bash_script(const std::vector<Level>& levels) {
  std::string out = "# thalweg completion bash > /etc/bash_completion.d/thalweg\n_thalweg() {\n";
  out += "  local current=${COMP_WORDS[COMP_CWORD]} words=\n";
  out += find_command(levels, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"");
  out += "  if [ -n \"$skip\" ]; then COMPREPLY=($(compgen -f -- \"$current\")); return; fi\n";
  out += "  case \"$at\" in\n";
  for (const auto& level : levels) {
    std::vector<std::string> words;
    for (const auto& word : level.words) words.push_back(word.text);
    out += "    " + quoted(level.path) + ") words=" + quoted(join(words, " ")) + " ;;\n";
  }
  out += "  esac\n";
  out += "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n";
  out += "  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n";
  return out + "}\ncomplete -F _thalweg thalweg\n";
}

/// What _describe shows: word, colon, description.
std::string zsh_item(const Word& word) {
  std::string text;
  for (const char c : word.text) text += c == ':' ? std::string("\\:") : std::string(1, c);
  return quoted(text + ':' + word.description);
}

std::string zsh_script(const std::vector<Level>& levels) {
  std::string out =
      "#compdef thalweg\n# thalweg completion zsh > ~/.zfunc/_thalweg\n_thalweg() {\n";
  out += "  local -a items\n";
  out += find_command(levels, "\"${(@)words[2,CURRENT-1]}\"");
  out += "  if [ -n \"$skip\" ]; then _files; return; fi\n";
  out += "  case \"$at\" in\n";
  for (const auto& level : levels) {
    out += "    " + quoted(level.path) + ")\n      items=(\n";
    for (const auto& word : level.words) out += "        " + zsh_item(word) + "\n";
    out += "      ) ;;\n";
  }
  out += "  esac\n  _describe thalweg items || _files\n}\n";
  return out +
         "if [ \"$funcstack[1]\" = _thalweg ]; then _thalweg; else compdef _thalweg thalweg; fi\n";
}

std::string fish_script(const std::vector<Level>& levels) {
  std::string out = "# thalweg completion fish > ~/.config/fish/completions/thalweg.fish\n";
  out += "function __thalweg_at\n";
  out += "  set -l at thalweg\n  set -l skip 0\n";
  out += "  for word in (commandline -opc)[2..-1]\n";
  out += "    if test $skip = 1; set skip 0; continue; end\n";
  out += "    switch $word\n";
  out += "      case " + join(valued_options(levels), " ") + "\n";
  out += "        set skip 1\n        continue\n    end\n";
  out += "    switch \"$at $word\"\n";
  for (const auto& level : levels) {
    if (level.path.find(' ') == level.path.npos) continue;
    out += "      case " + quoted(level.path) + "\n        set at \"$at $word\"\n";
  }
  out += "    end\n  end\n  test \"$at\" = \"$argv\"\nend\n";
  for (const auto& level : levels) {
    const std::string when = "complete -c thalweg -n " + quoted("__thalweg_at " + level.path);
    for (const auto& word : level.words) {
      if (word.text.starts_with("--")) {
        out += when + " -l " + word.text.substr(2);
      } else if (word.text.starts_with("-")) {
        out += when + " -s " + word.text.substr(1);
      } else {
        out += when + " -f -a " + word.text;
      }
      if (word.takes_value) out += " -r";
      out += " -d " + quoted(word.description) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const std::string& shell, const CLI::App& root) {
  const auto levels = levels_of(root);
  if (shell == "bash") return bash_script(levels);
  if (shell == "zsh") return zsh_script(levels);
  return fish_script(levels);
}

void add_completion(CLI::App& app, Context& context) {
  const auto shell = std::make_shared<std::string>();
  auto* completion = app.add_subcommand("completion", "Print a shell's completion script");
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer("bash: eval \"$(thalweg completion bash)\"");
  completion->callback([&app, &context, shell] {
    context.run = [&app, shell] {
      print(completion_script(*shell, app));
      return kDone;
    };
  });
}

}  // namespace thalweg::cli
