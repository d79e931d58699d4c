#pragma once

namespace CLI {
class App;
}

namespace thalweg::cli {

struct Context;

// Subcommands of `topics`.
void add_tail(CLI::App& topics, Context& context);
void add_produce(CLI::App& topics, Context& context);

}  // namespace thalweg::cli
