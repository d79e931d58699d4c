#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_node.h>
#include <thalweg/topology/printed.h>

namespace thalweg::internal {

/// Draws the rows of a table that changed last, each time the wall clock says so.
template <typename K, typename V>
class PrintTableNode final : public ProcessorNode, public Receiver<K, Change<V>> {
 public:
  PrintTableNode(std::string name, PrintedTable<K, V> printed)
      : ProcessorNode(std::move(name)), printed_(std::move(printed)) {}

  void add_child(ProcessorNode& child) override { cannot_be_child(*this, child); }
  void start(TaskContext& context) override {
    rows_.clear();
    changed_ = false;
    context.schedule(printed_.interval, PunctuationType::kWallClockTime, name(), [this](Timestamp) {
      if (std::exchange(changed_, false)) draw();
    });
  }
  void process(const K& key, const Change<V>& change, const RecordContext&) override {
    std::string shown = printed_text(key);
    rows_.remove_if([&shown](const auto& row) { return row.first == shown; });
    if (change.new_value) rows_.emplace_front(std::move(shown), printed_text(*change.new_value));
    if (rows_.size() > printed_.rows) rows_.pop_back();
    changed_ = true;
  }
  /// What changed since it was drawn last is not lost with a clean end.
  void close() override {
    if (std::exchange(changed_, false)) draw();
  }

 private:
  void draw() {
    std::size_t width = 0;
    for (const auto& [key, value] : rows_) width = std::max(width, key.size());
    std::ostream& out = printed_.out ? *printed_.out : standard_output();
    out << printed_.title << '\n';
    for (const auto& [key, value] : rows_) {
      out << "  " << key << std::string(width - key.size(), ' ') << " | " << value << '\n';
    }
    out.flush();
  }

  PrintedTable<K, V> printed_;
  std::list<std::pair<std::string, std::string>> rows_;  // The one that changed last comes first.
  bool changed_ = false;
};

template <typename K, typename V>
ProcessorPlan plan_print_table(PrintedTable<K, V> printed) {
  return plan_node<PrintTableNode<K, V>>(FlowType::of<K, Change<V>>(), FlowType(),
                                         std::move(printed));
}

}  // namespace thalweg::internal
