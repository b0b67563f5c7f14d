#include "train/engine.hpp"

#include "base/error.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {

bool executes_formats(const TrainerOptions& options) {
  const std::optional<Engine> engine = options.engine.name;
  if (!engine) {
    return options.precision.name != Policy::float32;
  }
  return engine == Engine::emulated || engine == Engine::integer;
}

void check_bfloat16() {
  if (!onednn::has_bfloat16()) {
    throw BadInput(concat("engine bfloat16 needs a processor with AVX512-BF16 or AMX; oneDNN uses ",
                          onednn::instruction_set(), " here; expected float32"));
  }
}

Arithmetic choose_arithmetic(const TrainerOptions& options) {
  const std::optional<Engine> engine = options.engine.name;
  if (engine == Engine::bfloat16) {
    check_bfloat16();
    return Arithmetic::bfloat16;
  }
  return !executes_formats(options) || engine == Engine::emulated ? Arithmetic::emulated
                                                                  : Arithmetic::integer;
}

Network make_network(const TrainerOptions& options, const Graph& graph, std::shared_ptr<ModelState> state,
                     bool training) {
  return {graph, std::move(state), training, choose_arithmetic(options)};
}

}  // namespace adapt
