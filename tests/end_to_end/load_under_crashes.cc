#include "end_to_end/load_under_crashes.h"

namespace thalweg::end_to_end {

using namespace flashsale;

namespace {

// Short, so that a request that was lost in a kill comes again soon.
constexpr HttpClient::Options kPatience{.connections_max = 64,
                                        .timeout = std::chrono::milliseconds(15'000)};

SaleOptions sale_options(double rate, std::chrono::milliseconds drain) {
  return {.rate = rate,
          .retries = true,
          .retry_pause = std::chrono::milliseconds(200),
          .side_rate = 20,
          .drain = drain,
          .shows_progress = false};
}

}  // namespace

Load::Load(Options options)
    : options_(std::move(options)),
      client_(io_, resolve(io_, options_.url).endpoint, kPatience),
      plan_(options_.plan),
      journal_(options_.ledger_path),
      sale_(std::make_unique<Sale>(shop_, plan_, names_, journal_,
                                   sale_options(options_.rate, options_.drain))),
      thread_([this] { run(); }) {}

Load::~Load() { finish(); }

void Load::run() {
  const auto seeding = seed(shop_, plan_, names_, journal_);
  seeded_.set_value(seeding ? std::string() : seeding.error());
  if (seeding) result_ = sale_->run();
}

SaleResult Load::finish() {
  sale_->stop();
  if (thread_.joinable()) thread_.join();
  return result_;
}

Verification Load::verify(std::chrono::milliseconds patience) {
  return flashsale::verify(shop_, journal_.ledger(), {}, patience);
}

}  // namespace thalweg::end_to_end
