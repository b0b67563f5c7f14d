#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "nn/layer.hpp"

namespace adapt {

/// Seconds that a network has spent in one step.
struct LayerSeconds {
  std::string name;
  double forward = 0;
  double backward = 0;  ///< sums of gradients that it completes included
};

/// Told during backward that the gradients of the parameters first..last - 1 (ModelState::parameters) are
/// complete, node by node.
using GradientsReady = std::function<void(std::size_t first, std::size_t last)>;

/// One entry of the list that a network works off: a layer, or a part of layers that were fused.
struct Step {
  using Work = std::function<void(Pass&)>;

  std::string name;
  Work forward;  ///< this and the next are empty where nothing is to be done
  Work backward;
  std::size_t parameters = 0;  ///< whose gradients are complete behind backward
};

/// Works off a list of steps, forward from the first to the last one and backward the other way. Between
/// steps it hears a stop signal where the pass asks for that, and it counts their time where asked to.
class Executor {
 public:
  void add(Step step) { steps_.push_back(std::move(step)); }

  /// Throws std::bad_alloc where oneDNN has no memory, else what the steps throw.
  void forward(Pass& pass);
  /// After forward of the same pass. Returns the seconds that `ready`, which may be empty, took.
  double backward(Pass& pass, const GradientsReady& ready);

  /// From now on the time of each step is counted; without this call nothing is.
  void count_steps();
  /// By step; empty unless counted.
  [[nodiscard]] const std::vector<LayerSeconds>& seconds() const { return seconds_; }

 private:
  void run(std::size_t step, Step::Work Step::*work, double LayerSeconds::*direction, Pass& pass);

  std::vector<Step> steps_;
  std::vector<LayerSeconds> seconds_;
};

}  // namespace adapt
