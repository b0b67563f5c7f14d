#include "nn/graph.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace adapt {

const Shape& Graph::shape(int value) const {
  return value == 0 ? image : nodes.at(static_cast<std::size_t>(value - 1)).output;
}

bool Graph::is_quantized() const {
  return std::ranges::any_of(nodes,
                             [](const GraphNode& node) { return node.op().quantization().has_value(); });
}

void check_classifies(const Graph& graph, const std::string& model, int classes) {
  // The last one that somebody wrote.
  const GraphNode& last =
      *std::ranges::find_if(graph.nodes.rbegin(), graph.nodes.rend(),
                            [](const GraphNode& node) { return !node.op().quantization().has_value(); });
  const Shape wanted = {graph.image.n, classes, 1, 1};
  const std::string where = last.place.empty() ? "" : last.place + ": ";
  if (last.output != wanted) {
    throw BadInput(concat(where, "layer '", last.name, "', the last one, makes ", text_of(last.output),
                          "; expected ", text_of(wanted), ", a number for each class of the data set"));
  }
  if (graph.layers.empty()) {
    throw BadInput(
        concat(where, "model '", model, "' has no weights; expected a convolution or a linear layer"));
  }
}

}  // namespace adapt
