#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "nn/graph.hpp"
#include "nn/layer.hpp"
#include "nn/network_memory.hpp"
#include "nn/quantized/chains.hpp"
#include "nn/quantized/normalization_unit.hpp"
#include "nn/quantized/product_unit.hpp"
#include "nn/quantized/value.hpp"

namespace adapt {

/// The nodes of a quantized graph that an executor works off together.
std::vector<JoinedNodes> joined_nodes(const Graph& graph);

/// Runs a quantized graph, node by node in the graph's order. Nodes that follow one another are joined to
/// units where one pass over memory serves several of them: a unit's work is done at some of its nodes, and
/// the others do nothing.
class Executor {
 public:
  /// With `integer`, products whose formats fit 8 bits run in integers; without, all are emulated.
  Executor(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training, bool integer);

  /// Starts a forward pass. Where products change between integers and emulation, what they leave behind is
  /// given back to the system.
  void begin(const Pass& pass);

  void forward(std::size_t node, Pass& pass);
  /// The sums of gradients that the node completes included.
  void backward(std::size_t node, Pass& pass);

  /// Products that run in integers under the plan of a pass.
  [[nodiscard]] int integer_products(const Pass& pass) const;

 private:
  using Work = std::function<void(Pass&)>;
  struct GradientSum {
    Value previous;
    Value written;
    Value sum;
  };
  /// What is done at a node.
  struct Slot {
    Work forward;
    Work backward;
    std::vector<GradientSum> sums;
  };

  void make_values(NetworkMemory& memory);
  void make_products(const std::vector<Chain>& chains, ModelState& state);
  void add_product(std::size_t node, Parameter& weight, Parameter* bias, bool keeps_bytes);
  void add_normalization(const Chain& chain, Parameter& scale, Parameter& shift,
                         RunningStatistics& statistics);
  void add_operand(std::size_t node);
  void add_layer(std::size_t node);
  static void add_gradients(const GradientSum& sum);

  Value* data_of(std::size_t node) { return &data_[node + 1]; }
  Value* source_of(std::size_t node, std::size_t k = 0);
  /// The gradient of what `node` makes; null at inference.
  Value* gradient_of(std::size_t node);
  /// Where `node` writes the gradient of its input `k`; null where it is not wanted.
  Value* written_by(std::size_t node, std::size_t k = 0);

  const Graph graph_;
  bool training_;
  bool integer_;
  SharedScratch scratch_;
  std::vector<Value> data_;                             // by value
  std::vector<Value> gradient_;                         // by value
  std::vector<std::vector<Value>> written_;             // by node and input
  std::vector<std::unique_ptr<ProductUnit>> products_;  // by node: the product's
  std::vector<Slot> slots_;                             // by node
};

}  // namespace adapt
