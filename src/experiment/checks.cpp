#include "experiment/checks.hpp"

#include "base/error.hpp"
#include "exchange/encoding.hpp"
#include "precision/option_checks.hpp"

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

void check_accumulation(const TrainingOptions& training, const PlaceOf& place_of) {
  const std::int64_t shards = std::int64_t{training.shards} * training.accumulate;
  if (shards > kMostStepShards) {
    throw BadInput(concat(place_of({"training.accumulate", "training.shards"}),
                          ": training.shards x training.accumulate is ", shards, "; expected at most ",
                          kMostStepShards));
  }
  constexpr std::int64_t kMostStepImages = 1'000'000'000;
  const std::int64_t images = std::int64_t{training.batch} * training.accumulate;
  if (images > kMostStepImages) {
    throw BadInput(concat(place_of({"training.accumulate", "training.batch"}),
                          ": training.batch x training.accumulate is ", images, "; expected at most ",
                          kMostStepImages));
  }
}

void check_schedule(const TrainingOptions& training, const PlaceOf& place_of) {
  const ScheduleOptions& schedule = training.schedule;
  if (schedule.warmup_epochs >= training.epochs) {
    throw BadInput(concat(place_of({"training.schedule.warmup_epochs", "training.epochs"}),
                          ": training.schedule.warmup_epochs is ", schedule.warmup_epochs,
                          "; expected less than training.epochs (", training.epochs, ")"));
  }
  if (schedule.name == ScheduleKind::multi_step && schedule.milestones.empty()) {
    throw BadInput(concat(place_of({"training.schedule.name"}),
                          ": training.schedule.name is multi_step without milestones; expected "
                          "training.schedule.milestones such as [10, 15]"));
  }
}

void check_samples(const Configuration& configuration, const PlaceOf& place_of) {
  const TrainingOptions& training = configuration.training;
  const std::int64_t samples = configuration.data.train_samples;
  const int folds = configuration.data.folds;
  const std::int64_t images = training.step_images();
  const std::int64_t tested = folds > 0 ? (samples + folds - 1) / folds : 0;
  if (samples == 0 || samples - tested >= images) {
    return;
  }
  const std::int64_t enough = folds > 0 ? (images * folds + folds - 2) / (folds - 1) : images;
  throw BadInput(
      concat(place_of({"data.train_samples", "training.batch", "training.accumulate", "data.folds"}),
             ": data.train_samples is ", samples, "; expected 0 (all) or at least ", enough, ": ", images,
             " images for an optimizer step (training.batch x training.accumulate)",
             folds > 0 ? " beside the fold to test on" : "", ", else an epoch has no step"));
}

void check_procedural(const DataOptions& data, const PlaceOf& place_of) {
  const auto check = [&](const char* key, std::int64_t samples) {
    if (data.name == "procedural" && samples > kMostProceduralImages) {
      throw BadInput(concat(place_of({key, "data.name"}), ": ", key, " is ", samples, "; expected at most ",
                            kMostProceduralImages, " procedural images"));
    }
  };
  check("data.train_samples", data.train_samples);
  check("data.test_samples", data.test_samples);
}

void check_folds(const DataOptions& data, const PlaceOf& place_of) {
  if (data.folds == 1) {
    throw BadInput(
        place_of({"data.folds"}) +
        ": data.folds is 1, which leaves nothing to train on; expected 0 (no cross validation) or at "
        "least 2");
  }
  if (data.train_samples > 0 && data.folds > data.train_samples) {
    throw BadInput(concat(place_of({"data.folds", "data.train_samples"}), ": data.folds is ", data.folds,
                          "; expected at most one fold per image, and data.train_samples is ",
                          data.train_samples));
  }
  if (data.fold > 0 && data.fold >= data.folds) {
    throw BadInput(concat(place_of({"data.fold", "data.folds"}), ": data.fold is ", data.fold, "; expected ",
                          data.folds == 0
                              ? "data.folds: 10 or so with it, or 0"
                              : concat("0..", data.folds - 1, " (data.folds is ", data.folds, ")")));
  }
}

void check_engine(const Configuration& configuration, const PlaceOf& place_of) {
  const bool quantizes = configuration.precision.name != Policy::float32;
  const std::optional<Engine> engine = configuration.engine.name;
  if (quantizes && (engine == Engine::float32 || engine == Engine::bfloat16)) {
    throw BadInput(concat(place_of({"engine.name", "precision.policy"}), ": precision.policy '",
                          configuration.precision.name,
                          "' needs an engine that executes formats, and engine.name is ", *engine,
                          "; expected engine.name: emulated, integer or auto"));
  }
  const bool integers = quantizes && configuration.precision.quantize.gradients;
  if (configuration.exchange.encoding == Encoding::layer && !integers) {
    throw BadInput(
        concat(place_of({"exchange.encoding"}),
               ": exchange.encoding 'layer' sends gradients in their layer's format, and they have none; "
               "expected ",
               quantizes ? "precision.quantize.gradients: true" : "a precision.policy other than float32",
               ", or exchange.encoding: exact"));
  }
  const std::optional<Encoding> encoding = configuration.exchange.encoding;
  const bool has_feedback = encoding && entry_of(*encoding).has_error_feedback;
  if (configuration.exchange.error_feedback && !has_feedback) {
    throw BadInput(concat(place_of({"exchange.error_feedback", "exchange.encoding"}),
                          ": exchange.error_feedback is true, and exchange.encoding '",
                          encoding ? name_of(*encoding) : "auto",
                          "' has none; expected exchange.encoding: ", names_with_feedback(), ", or false"));
  }
}

/// What a policy needs of other keys.
void check_policy(const Configuration& configuration, const PlaceOf& place_of) {
  const PolicyOptions& precision = configuration.precision;
  if (const auto conflict = find_conflict(precision)) {
    throw BadInput(concat(place_of(conflict->keys), ": ", conflict->message));
  }
  const bool phases =
      precision.name != Policy::float32 && precision.name != Policy::fixed && precision.name != Policy::adapt;
  if (configuration.training.schedule.origin == ScheduleOrigin::final_phase && !phases) {
    throw BadInput(concat(place_of({"training.schedule.origin", "precision.policy"}),
                          ": training.schedule.origin is final_phase, and precision.policy '", precision.name,
                          "' has none; expected run, or precision.policy: muppet"));
  }
}

}  // namespace

void check_combinations(const Configuration& configuration, const PlaceOf& place_of) {
  check_batch(configuration.training, place_of);
  check_accumulation(configuration.training, place_of);
  check_schedule(configuration.training, place_of);
  check_procedural(configuration.data, place_of);
  check_folds(configuration.data, place_of);
  check_samples(configuration, place_of);
  check_engine(configuration, place_of);
  check_policy(configuration, place_of);
}

}  // namespace adapt
