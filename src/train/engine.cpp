#include "train/engine.hpp"

#include "base/error.hpp"
#include "nn/onednn.hpp"

namespace adapt {

bool executes_formats(const TrainerOptions& options) {
  const std::string& name = options.engine.name;
  if (name == "emulated" || name == "integer") {
    return true;
  }
  if (name == "auto") {
    return options.precision.name != "float32";
  }
  if (name == "float32" || name == "bfloat16") {
    return false;
  }
  throw BadInput(
      concat("unknown engine.name '", name, "'; known: float32, bfloat16, emulated, integer, auto"));
}

void check_bfloat16() {
  if (!onednn::has_bfloat16()) {
    throw BadInput(concat("engine bfloat16 needs a processor with AVX512-BF16 or AMX; oneDNN uses ",
                          onednn::instruction_set(), " here; expected float32"));
  }
}

Arithmetic choose_arithmetic(const TrainerOptions& options) {
  const std::string& name = options.engine.name;
  if (name == "bfloat16") {
    check_bfloat16();
    return Arithmetic::bfloat16;
  }
  if (!executes_formats(options) || name == "emulated") {
    return Arithmetic::emulated;
  }
  if (onednn::has_exact_bytes()) {
    return Arithmetic::integer;
  }
  if (name == "integer") {
    throw BadInput(
        concat("engine.name: integer needs a processor with VNNI, whose 8-bit products do not "
               "saturate; oneDNN uses ",
               onednn::instruction_set(), " here; expected engine.name: emulated or auto"));
  }
  return Arithmetic::emulated;
}

Network make_network(const TrainerOptions& options, const Graph& graph, std::shared_ptr<ModelState> state,
                     bool training) {
  return {graph, std::move(state), training, choose_arithmetic(options)};
}

}  // namespace adapt
