#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// The branches of a split, filled while the plan is made. Child i of the splitter takes what meets
/// predicate i; a child more than there are predicates takes the rest.
template <typename K, typename V>
struct Branches {
  std::vector<std::function<bool(const K&, const V&)>> predicates;
};

template <typename K, typename V>
class BranchNode final : public Sender<K, V>, public Receiver<K, V> {
 public:
  BranchNode(std::string name, std::shared_ptr<Branches<K, V>> branches)
      : Sender<K, V>(std::move(name)), predicates_(branches->predicates) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    std::size_t child = 0;
    while (child < predicates_.size() && !predicates_[child](key, value)) ++child;
    if (child < this->children()) this->pass_on_to(child, key, value, context);
  }

 private:
  std::vector<std::function<bool(const K&, const V&)>> predicates_;
};

template <typename K, typename V>
ProcessorPlan plan_branch(std::shared_ptr<Branches<K, V>> branches) {
  return plan_node<BranchNode<K, V>>(FlowType::of<K, V>(), FlowType::of<K, V>(),
                                     std::move(branches));
}

}  // namespace thalweg::internal
