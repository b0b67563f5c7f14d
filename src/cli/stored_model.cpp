#include "cli/stored_model.hpp"

#include "base/error.hpp"
#include "train/model_file.hpp"

namespace adapt::cli {

void check_model_choice(const std::string& which) {
  if (which != "last" && which != "best") {
    throw BadInput(concat("--model: expected last or best, found '", which, "'"));
  }
}

std::vector<ModelTensor> chosen_model(const RunFile& file, const std::string& run_dir,
                                      const std::string& which) {
  const std::vector<ModelTensor>& last = file.model();
  if (last.empty()) {
    throw BadInput(concat(run_dir, " holds no model: the run ended before its first epoch did"));
  }
  if (which == "last") {
    return last;
  }
  const std::vector<ModelTensor>& best = file.best_model().tensors;
  if (best.empty()) {
    throw BadInput(concat(run_dir,
                          " holds no best model: an older adapt kept the last one only; "
                          "expected --model last"));
  }
  return best;
}

PrecisionPlan load_stored_model(const std::string& run_dir, const std::vector<ModelTensor>& model,
                                ModelState& state, std::size_t layers) {
  try {
    return load_model(model, state, layers);
  } catch (const BadInput& error) {
    throw BadInput(concat(run_dir, "/run.h5: ", error.what()));
  }
}

}  // namespace adapt::cli
