#pragma once

#include <string>

namespace CLI {
class App;
}

namespace thalweg::cli {

/// The completion script of a shell (bash, zsh or fish), made from the commands and options that
/// `root` declares.
std::string completion_script(const std::string& shell, const CLI::App& root);

}  // namespace thalweg::cli
