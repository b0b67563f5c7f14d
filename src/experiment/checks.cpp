#include "experiment/checks.hpp"

#include "base/error.hpp"

namespace adapt {
namespace {

void check_batch(const TrainingOptions& training, const PlaceOf& place_of) {
  const int rest = training.batch % training.shards;
  if (rest == 0) {
    return;
  }
  const int below = training.batch - rest;
  const int above = below + training.shards;
  throw BadInput(concat(place_of({"training.batch", "training.shards"}), ": training.batch is ",
                        training.batch, ", not a multiple of training.shards (", training.shards,
                        "); expected for example ", below > 0 ? below : above,
                        below > 0 ? concat(" or ", above) : ""));
}

void check_schedule(const TrainingOptions& training, const PlaceOf& place_of) {
  const ScheduleOptions& schedule = training.schedule;
  if (schedule.warmup_epochs >= training.epochs) {
    throw BadInput(concat(place_of({"training.schedule.warmup_epochs", "training.epochs"}),
                          ": training.schedule.warmup_epochs is ", schedule.warmup_epochs,
                          "; expected less than training.epochs (", training.epochs, ")"));
  }
  if (schedule.name == "multi_step" && schedule.milestones.empty()) {
    throw BadInput(concat(place_of({"training.schedule.name"}),
                          ": training.schedule.name is multi_step without milestones; expected "
                          "training.schedule.milestones such as [10, 15]"));
  }
}

void check_data(const Configuration& configuration, const PlaceOf& place_of) {
  const std::int64_t samples = configuration.data.train_samples;
  if (samples > 0 && samples < configuration.training.batch) {
    throw BadInput(concat(place_of({"data.train_samples", "training.batch"}), ": data.train_samples is ",
                          samples, "; expected 0 (all) or at least training.batch (",
                          configuration.training.batch, "), else an epoch has no step"));
  }
}

void check_engine(const Configuration& configuration, const PlaceOf& place_of) {
  const bool quantizes = configuration.precision.name != "float32";
  if (quantizes && configuration.engine.name == "float32") {
    throw BadInput(concat(place_of({"engine.name", "precision.policy"}), ": precision.policy '",
                          configuration.precision.name,
                          "' needs an engine that executes formats, and engine.name is float32; expected "
                          "engine.name: emulated"));
  }
  const bool integers = quantizes && configuration.precision.quantize.gradients;
  if (configuration.exchange.encoding == "layer" && !integers) {
    throw BadInput(
        concat(place_of({"exchange.encoding"}),
               ": exchange.encoding 'layer' sends gradients in their layer's format, and they have none; "
               "expected ",
               quantizes ? "precision.quantize.gradients: true" : "a precision.policy other than float32",
               ", or exchange.encoding: exact"));
  }
}

/// What a policy needs of other keys.
void check_policy(const Configuration& configuration, const PlaceOf& place_of) {
  const PolicyOptions& precision = configuration.precision;
  const bool muppet = precision.name == "muppet";
  const auto require = [&](const char* key, const std::string& found, const std::string& expected,
                           const char* reason) {
    if (muppet && found != expected) {
      throw BadInput(concat(place_of({key, "precision.policy"}), ": ", key, " is ", found,
                            ", and precision.policy muppet ", reason, "; expected ", expected));
    }
  };
  require("precision.formats", precision.formats, "per_tensor", "scales each tensor");
  require("precision.backward", precision.backward, "quantized", "quantizes the gradients that flow back");
  if (muppet && precision.muppet.levels.empty()) {
    throw BadInput(concat(place_of({"precision.muppet.levels"}),
                          ": precision.muppet.levels is empty; expected word lengths such as [8, 12]"));
  }
  const bool phases = precision.name != "float32" && precision.name != "fixed" && precision.name != "adapt";
  if (configuration.training.schedule.origin == "final_phase" && !phases) {
    throw BadInput(concat(place_of({"training.schedule.origin", "precision.policy"}),
                          ": training.schedule.origin is final_phase, and precision.policy '", precision.name,
                          "' has none; expected run, or precision.policy: muppet"));
  }
}

void check_range(const char* section, const char* low_name, int low, const char* high_name, int high,
                 const PlaceOf& place_of) {
  const std::string low_key = concat(section, ".", low_name);
  const std::string high_key = concat(section, ".", high_name);
  if (low > high) {
    throw BadInput(concat(place_of({low_key, high_key}), ": ", low_key, " is ", low, "; expected at most ",
                          high_key, " (", high, ")"));
  }
}

void check_adapt(const AdaptPolicyOptions& adapt, const PlaceOf& place_of) {
  const char* section = "precision.adapt";
  check_range(section, "lookback_lower", adapt.lookback_lower, "lookback_upper", adapt.lookback_upper,
              place_of);
  check_range(section, "resolution_lower", adapt.resolution_lower, "resolution_upper", adapt.resolution_upper,
              place_of);
}

}  // namespace

void check_combinations(const Configuration& configuration, const PlaceOf& place_of) {
  check_batch(configuration.training, place_of);
  check_schedule(configuration.training, place_of);
  check_data(configuration, place_of);
  check_engine(configuration, place_of);
  check_policy(configuration, place_of);
  check_adapt(configuration.precision.adapt, place_of);
}

}  // namespace adapt
