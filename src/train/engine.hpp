#pragma once

#include <memory>

#include "nn/network.hpp"
#include "train/trainer.hpp"

namespace adapt {

/// Whether the engine that `options` choose executes a precision plan.
[[nodiscard]] bool executes_formats(const TrainerOptions& options);

/// Throws BadInput where products in bfloat16 are not fast (onednn::has_bfloat16).
void check_bfloat16();

/// The arithmetic of that engine on this machine. `auto` takes integers wherever layers have formats. Throws
/// as check_bfloat16().
[[nodiscard]] Arithmetic choose_arithmetic(const TrainerOptions& options);

/// `graph` compiled for that engine.
[[nodiscard]] Network make_network(const TrainerOptions& options, const Graph& graph,
                                   std::shared_ptr<ModelState> state, bool training);

}  // namespace adapt
