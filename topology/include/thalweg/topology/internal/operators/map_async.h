#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/async_call.h>
#include <thalweg/topology/internal/async_work.h>
#include <thalweg/topology/internal/map_async_plan.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

AsyncOutbox::Store& async_outbox_store(TaskContext& context, const std::string& name,
                                       const std::string& node);

/// Calls a function for each record, through an outbox.
template <typename K, typename V, typename R, typename F>
class MapAsyncNode final : public Sender<K, AsyncOutcome<V, R>>,
                           public Receiver<K, V>,
                           public AsyncWork {
 public:
  using Outcome = AsyncOutcome<V, R>;

  MapAsyncNode(std::string name, F function, MapAsyncPlan<K, V> plan)
      : Sender<K, Outcome>(std::move(name)),
        function_(std::move(function)),
        plan_(std::move(plan)),
        outbox_(plan_.options) {}

  void start(TaskContext& task) override {
    outbox_.open(async_outbox_store(task, plan_.options.store, this->name()));
    inbox_ = std::make_shared<AsyncInbox<R>>(task.add_async_work(*this));
    id_prefix_ = std::string(task.application_id()) + '/' + plan_.options.store + '/' +
                 std::to_string(task.task_id().partition) + '/';
  }
  void close() override { outbox_.abandon(); }

  void process(const K& key, const V& value, const RecordContext& context) override {
    const Timestamp now = this->task()->wall_clock_time();
    outbox_.add(plan_.row_of(key, value, context), now);
    begin_more(now);
  }

  void committed(CommitSequence commit) override { outbox_.committed(commit); }
  bool has_calls_to_start() const override { return outbox_.has_calls_to_start(); }

  void start_calls(CommitSequence durable, Timestamp now) override {
    for (auto& [number, row, stop_token] : outbox_.start_calls(durable, now)) {
      AsyncRequest<K, V> request{.number = number,
                                 .attempt = row.attempt,
                                 .headers = Headers::decode(row.headers),
                                 .timestamp = row.timestamp,
                                 .idempotency_key = id_prefix_ + std::to_string(number),
                                 .timeout = plan_.options.timeout,
                                 .stop_token = std::move(stop_token)};
      plan_.read(row, request.key, request.value);
      std::invoke(function_, AsyncCall<K, V, R>(std::move(request), inbox_));
    }
  }

  bool take_answers(Timestamp now, bool begin) override {
    bool worked = false;
    for (auto& answer : inbox_->take()) {
      if (!outbox_.waits_for(answer.number, answer.attempt)) continue;
      worked = true;
      if (answer.response) {
        complete(std::move(answer), now);
      } else {
        fail(std::move(answer), now);
      }
    }
    for (const std::int64_t number : outbox_.overdue(now)) {
      worked = true;
      fail({.number = number,
            .error = "no answer within " + std::to_string(plan_.options.timeout.count()) + " ms"},
           now);
    }
    if (begin) worked |= begin_more(now);
    return worked;
  }

  std::optional<Timestamp> next_deadline(bool begin_more) const override {
    return outbox_.next_deadline(begin_more);
  }
  std::size_t in_flight() const override { return outbox_.in_flight(); }

 private:
  bool begin_more(Timestamp now) {
    bool any = false;
    while (const auto begun = outbox_.begin_next(now)) {
      any = true;
      if (!begun->again) tell(begun->row, {.step = AsyncStep::kStarted, .at = now});
    }
    return any;
  }

  void complete(AsyncAnswer<R> answer, Timestamp now) {
    const AsyncRow row = outbox_.row(answer.number);
    outbox_.finish(answer.number, now);
    tell(row, {.step = AsyncStep::kCompleted, .response = std::move(answer.response), .at = now});
  }

  void fail(AsyncAnswer<R> answer, Timestamp now) {
    const AsyncRow row = outbox_.row(answer.number);
    Outcome outcome{.step = AsyncStep::kGivenUp, .error = std::move(answer.error), .at = now};
    if (answer.is_final) {
      outcome.refused = true;
      outbox_.finish(answer.number, now);
    } else if ((outcome.next_attempt = outbox_.fail(answer.number, row, now))) {
      outcome.step = AsyncStep::kRetrying;
    }
    tell(row, std::move(outcome));
  }

  /// Sends a step downstream, as if the record it is about came now.
  void tell(const AsyncRow& row, Outcome outcome) {
    const Headers headers = Headers::decode(row.headers);
    K key{};
    plan_.read(row, key, outcome.value);
    outcome.attempt = row.attempt;
    const Timestamp time_before = this->task()->exchange_record_time(row.timestamp);
    this->forward(key, outcome, {row.timestamp, &headers});
    this->task()->exchange_record_time(time_before);
  }

  F function_;
  const MapAsyncPlan<K, V> plan_;
  AsyncOutbox outbox_;
  std::shared_ptr<AsyncInbox<R>> inbox_;
  std::string id_prefix_;
};

template <typename K, typename V, typename R, typename F>
ProcessorPlan plan_map_async(F function, MapAsyncPlan<K, V> plan) {
  return plan_node<MapAsyncNode<K, V, R, F>>(FlowType::of<K, V>(),
                                             FlowType::of<K, AsyncOutcome<V, R>>(),
                                             std::move(function), std::move(plan));
}

}  // namespace thalweg::internal
