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
  if (name == "float32") {
    return false;
  }
  throw BadInput(concat("unknown engine.name '", name, "'; known: float32, emulated, integer, auto"));
}

Arithmetic choose_arithmetic(const TrainerOptions& options) {
  const std::string& name = options.engine.name;
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
