// thalweg completion: scripts for shells, made from what the commands declare.

#include "completion.h"

#include <algorithm>
#include <map>
#include <sstream>

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
  std::string values;  ///< With spaces between; empty: whatever, files too.
};

/// What may follow a command.
struct Level {
  std::string path;  ///< "thalweg stores get"
  std::vector<Word> words;
  bool takes_files = false;
};

std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

/// What an option can be: "TEXT:{table,json}" lists it.
std::string values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find('{');
  const auto end = type.find('}');
  if (begin == type.npos || end == type.npos) return {};
  std::string values = type.substr(begin + 1, end - begin - 1);
  std::ranges::replace(values, ',', ' ');
  return values;
}

/// What stands behind a command without a name: its values, or files.
void add_positionals(const CLI::App& app, Level& level) {
  for (const auto* option : app.get_options()) {
    if (!option->get_lnames().empty() || !option->get_snames().empty()) continue;
    std::istringstream values(values_of(*option));
    for (std::string value; values >> value;) {
      level.words.push_back({value, first_line(option->get_description())});
    }
    const auto name = option->get_name(true);
    level.takes_files = level.takes_files || name == "FILE" || name == "OLD" || name == "NEW";
  }
}

void add_options(const CLI::App& app, std::vector<Word>& words) {
  for (const auto* option : app.get_options()) {
    const bool takes_value = option->get_items_expected_max() > 0;
    const auto add = [&](const std::string& dashes, const std::string& name) {
      words.push_back(
          {dashes + name, first_line(option->get_description()), takes_value, values_of(*option)});
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
  add_positionals(app, level);
  add_options(app, level.words);
  if (&app != &root) add_options(root, level.words);
  std::vector<Word> once;
  for (auto& word : level.words) {
    if (std::ranges::find(once, word.text, &Word::text) == once.end()) once.push_back(word);
  }
  levels.push_back({path, std::move(once), level.takes_files});
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
struct Valued {
  std::vector<std::string> everywhere;
  std::vector<std::string> somewhere;  ///< "thalweg describe -f", which is a flag elsewhere.
};

Valued valued_options(const std::vector<Level>& levels) {
  Valued valued;
  std::map<std::string, bool> always;
  for (const auto& level : levels) {
    for (const auto& word : level.words) {
      if (!word.text.starts_with('-')) continue;
      auto& seen = always.try_emplace(word.text, true).first->second;
      seen = seen && word.takes_value;
    }
  }
  for (const auto& [name, wherever] : always) {
    if (wherever) valued.everywhere.push_back(name);
  }
  for (const auto& level : levels) {
    for (const auto& word : level.words) {
      if (!word.takes_value || always[word.text]) continue;
      valued.somewhere.push_back(quoted(level.path + ' ' + word.text));
    }
  }
  return valued;
}

/// The options whose values are known, with these.
std::map<std::string, std::string> known_values(const std::vector<Level>& levels) {
  std::map<std::string, std::string> known;
  for (const auto& level : levels) {
    for (const auto& word : level.words) {
      if (!word.values.empty()) known[word.text] = word.values;
    }
  }
  return known;
}

/// Walks over the words before the cursor to the command they name; bash and zsh alike.
std::string find_command(const std::vector<Level>& levels, const std::string& words_before) {
  const auto valued = valued_options(levels);
  std::string out;
  out += "  local at=thalweg skip= word\n";
  out += "  for word in " + words_before + "; do\n";
  out += "    if [ -n \"$skip\" ]; then skip=; continue; fi\n";
  out += "    case \"$word\" in\n";
  out += "      " + join(valued.everywhere, "|") + ") skip=$word; continue ;;\n";
  out += "    esac\n";
  out += "    case \"$at $word\" in\n";
  if (!valued.somewhere.empty()) {
    out += "      " + join(valued.somewhere, "|") + ") skip=$word ;;\n";
  }
  for (const auto& level : levels) {
    if (level.path.find(' ') == level.path.npos) continue;
    out += "      " + quoted(level.path) + ") at=\"$at $word\" ;;\n";
  }
  out += "    esac\n  done\n";
  return out;
}

std::string bash_script(const std::vector<Level>& levels) {
  std::string out = "# thalweg completion bash > /etc/bash_completion.d/thalweg\n";
  // A line is a name, spaces and all, which the shell escapes.
  out += "_thalweg_files() {\n";
  out += "  mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n";
  out += "  compopt -o filenames 2>/dev/null\n}\n";
  out += "_thalweg() {\n";
  out += "  local current=${COMP_WORDS[COMP_CWORD]} words= files=\n";
  out += find_command(levels, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"");
  out += "  case \"$skip\" in\n";
  for (const auto& [option, values] : known_values(levels)) {
    out += "    " + option + ") COMPREPLY=($(compgen -W " + quoted(values) +
           " -- \"$current\")); return ;;\n";
  }
  out += "  esac\n";
  out += "  if [ -n \"$skip\" ]; then _thalweg_files; return; fi\n";
  out += "  case \"$at\" in\n";
  for (const auto& level : levels) {
    std::vector<std::string> words;
    for (const auto& word : level.words) words.push_back(word.text);
    out += "    " + quoted(level.path) + ") words=" + quoted(join(words, " "));
    out += level.takes_files ? " files=1 ;;\n" : " ;;\n";
  }
  out += "  esac\n";
  out += "  if [ -n \"$files\" ] && [[ $current != -* ]]; then _thalweg_files; return; fi\n";
  out += "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n";
  out += "  if [ ${#COMPREPLY[@]} -eq 0 ]; then _thalweg_files; fi\n";
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
  out += "  case \"$skip\" in\n";
  for (const auto& [option, values] : known_values(levels)) {
    out += "    " + option + ") compadd -- " + values + "; return ;;\n";
  }
  out += "  esac\n";
  out += "  if [ -n \"$skip\" ]; then _files; return; fi\n";
  out += "  case \"$at\" in\n";
  for (const auto& level : levels) {
    out += "    " + quoted(level.path) + ")\n      items=(\n";
    for (const auto& word : level.words) out += "        " + zsh_item(word) + "\n";
    out += "      )\n";
    if (level.takes_files) out += "      [[ $PREFIX != -* ]] && { _files; return }\n";
    out += "      ;;\n";
  }
  out += "  esac\n  _describe thalweg items || _files\n}\n";
  return out +
         "if [ \"$funcstack[1]\" = _thalweg ]; then _thalweg; else compdef _thalweg thalweg; fi\n";
}

std::string fish_script(const std::vector<Level>& levels) {
  const auto valued = valued_options(levels);
  std::string out = "# thalweg completion fish > ~/.config/fish/completions/thalweg.fish\n";
  out += "function __thalweg_at\n";
  out += "  set -l at thalweg\n  set -l skip 0\n";
  out += "  for word in (commandline -opc)[2..-1]\n";
  out += "    if test $skip = 1; set skip 0; continue; end\n";
  out += "    switch $word\n";
  out += "      case " + join(valued.everywhere, " ") + "\n";
  out += "        set skip 1\n        continue\n    end\n";
  out += "    switch \"$at $word\"\n";
  if (!valued.somewhere.empty()) {
    out += "      case " + join(valued.somewhere, " ") + "\n        set skip 1\n";
  }
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
      if (!word.values.empty()) out += " -f -a " + quoted(word.values);
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
