#pragma once

#include <string>
#include <vector>

#include "nn/parameters.hpp"
#include "numerics/plan.hpp"
#include "record/run_file.hpp"

namespace adapt::cli {

/// Throws BadInput unless it is what `--model` may be: last or best.
void check_model_choice(const std::string& which);

/// The model of a run that `--model` names. Throws BadInput where the run holds none.
std::vector<ModelTensor> chosen_model(const RunFile& file, const std::string& run_dir,
                                      const std::string& which);

/// load_model() (train/model_file.hpp), with the run in its messages.
PrecisionPlan load_stored_model(const std::string& run_dir, const std::vector<ModelTensor>& model,
                                ModelState& state, std::size_t layers);

}  // namespace adapt::cli
