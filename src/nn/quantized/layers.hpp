#pragma once

#include <map>
#include <memory>
#include <vector>

#include "nn/executor.hpp"
#include "nn/graph.hpp"
#include "nn/network_memory.hpp"
#include "nn/passes/fusion.hpp"
#include "nn/quantized/normalization_unit.hpp"
#include "nn/quantized/product_unit.hpp"
#include "nn/quantized/value.hpp"

namespace adapt {

/// The layers of a quantized graph with the values between them. Nodes that one pass over memory serves
/// together are units (nn/passes/fusion.hpp): a unit's work stands at some of its nodes, and at the others is
/// nothing to do.
class QuantizedLayers {
 public:
  /// With `integer`, products that can run in integers do (nn/quantized/product_unit.hpp); without, all are
  /// emulated. `state` and `memory` must outlive this.
  QuantizedLayers(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training, bool integer);
  QuantizedLayers(const QuantizedLayers&) = delete;  // the steps point into it
  QuantizedLayers& operator=(const QuantizedLayers&) = delete;

  /// One step for each node of the graph, in its order. They work on what is in here.
  [[nodiscard]] std::vector<Step> steps();

  /// Before forward of a pass: products choose their arithmetic by its plan. Where it is another than before,
  /// what only the former one needed is given back to the system.
  void select(const Pass& pass);

  /// Products of which forward runs in integers under the plan of a pass, whatever the numbers are.
  [[nodiscard]] int integer_products(const Pass& pass) const;

 private:
  struct GradientSum {
    Value previous;
    Value written;
    Value sum;
  };
  /// What is done at a node.
  struct Slot {
    Step::Work forward;
    Step::Work backward;
    std::vector<GradientSum> sums;
    std::size_t parameters = 0;
  };
  /// Parameters and statistics of a node.
  struct NodeState {
    std::vector<Parameter*> parameters;
    RunningStatistics* statistics = nullptr;
  };

  void find_state(ModelState& state);
  void make_values();
  void add_product(const ProductGroup& group);
  void add_normalization(const NormalizationGroup& group);
  void add_operand(std::size_t node);
  void add_layer(std::size_t node);
  [[nodiscard]] NormalizationParts parts_of(const NormalizationGroup& group);
  static void add_gradients(const GradientSum& sum);
  void run_forward(std::size_t node, Pass& pass);
  void run_backward(std::size_t node, Pass& pass);
  /// Whether a batch norm, with what was joined to it, makes the value.
  [[nodiscard]] bool ends_normalization(int value) const;
  /// The quantized layer that `node` belongs to.
  [[nodiscard]] const QuantizedLayer& layer_of(std::size_t node) const;

  Value* data_of(std::size_t node) { return &data_[node + 1]; }
  Value* source_of(std::size_t node, std::size_t k = 0);
  /// The gradient of what `node` makes; null at inference.
  Value* gradient_of(std::size_t node);
  /// Where `node` writes the gradient of its input `k`; null where it is not wanted.
  Value* written_by(std::size_t node, std::size_t k = 0);

  Graph graph_;
  NetworkMemory& memory_;
  bool training_;
  bool integer_;
  SharedScratch scratch_;
  std::vector<NodeState> state_;             // by node
  std::vector<Value> data_;                  // by value
  std::vector<Value> gradient_;              // by value
  std::vector<std::vector<Value>> written_;  // by node and input
  std::vector<NormalizationGroup> normalizations_;
  std::map<std::size_t, std::unique_ptr<ProductUnit>> inputs_;  // by the quantization before the product
  std::map<std::size_t, ProductUnit*> outputs_;                 // by the quantization behind it
  std::vector<Slot> slots_;                                     // by node
};

}  // namespace adapt
