// What a checkpoint keeps of a training step, and the way back. The working weights are not kept: they follow
// from masters, plan, seed and step.

#include <algorithm>
#include <cmath>

#include "base/state_bytes.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

void save(StateWriter& writer, std::span<const float> values) { writer.put_all(values); }

/// Numbers that must be finite, as they go on to be computed with.
void get_numbers(StateReader& reader, const std::string& name, std::span<float> values) {
  reader.get_into(values);
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    throw BadInput(concat("saved state: tensor '", name, "' holds numbers that are not finite"));
  }
}

/// Refuses a state of other tensors, even if they have as many values.
void expect_name(StateReader& reader, const std::string& name) {
  constexpr std::size_t kLongestName = 4096;
  const std::string found = reader.get_text(kLongestName);
  if (found != name) {
    throw BadInput(concat("saved state: tensor '", found, "' stands where '", name,
                          "' is expected: the checkpoint belongs to another model"));
  }
}

}  // namespace

std::vector<std::byte> TrainingStep::save_state() const {
  StateWriter writer;
  writer.put(step_);
  for (std::size_t p = 0; p < state_->parameters.size(); ++p) {
    writer.put_text(state_->parameters[p].name);
    save(writer, state_->parameters[p].master);
    save(writer, optimizer_.velocity(p));
  }
  for (const RunningStatistics& statistics : state_->statistics) {
    writer.put_text(statistics.name);
    save(writer, statistics.running_mean);
    save(writer, statistics.running_variance);
  }
  controller_.save_state(writer);
  if (encoding_->has_state()) {
    writer.put_all(std::span<const std::byte>(encoding_->save_state()));
  }
  return writer.take();
}

void TrainingStep::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  step_ = reader.get<std::int64_t>();
  if (step_ < 0) {
    throw BadInput(concat("saved state: step ", step_, ", expected 0 or more"));
  }
  for (std::size_t p = 0; p < state_->parameters.size(); ++p) {
    Parameter& parameter = state_->parameters[p];
    expect_name(reader, parameter.name);
    get_numbers(reader, parameter.name, parameter.master);
    get_numbers(reader, parameter.name, optimizer_.velocity(p));
  }
  for (RunningStatistics& statistics : state_->statistics) {
    expect_name(reader, statistics.name);
    get_numbers(reader, statistics.name, statistics.running_mean);
    get_numbers(reader, statistics.name, statistics.running_variance);
  }
  controller_.restore_state(reader, step_);
  if (encoding_->has_state()) {
    encoding_->restore_state(reader.get_all<std::byte>(0, state.size()), ranks_);
  }
  reader.finish();
  if (step_ % steps_per_epoch() != 0) {
    loader_.start_epoch(step_ / steps_per_epoch(), step_ % steps_per_epoch());
  }
}

}  // namespace adapt
