#include "record/layout.hpp"

#include <cstddef>

#include "numerics/quantize.hpp"

namespace adapt::layout {
namespace {

/// Adds the three columns of a format. `prefix` is empty for the weights.
template <class Access>
void add_format(std::vector<Column<StoredLayerRow>>& columns, const std::string& prefix,
                const std::string& tensor, Access access) {
  columns.push_back(make_column<StoredLayerRow, std::int8_t>(
      prefix + "word_length", "bit",
      concat("word length of the ", tensor, ", sign included; 32 for float32"), [access](auto& row) -> auto& {
        return access(row).word_length;
      }));
  columns.push_back(make_column<StoredLayerRow, std::int16_t>(
      prefix + "fractional_length", "bit",
      concat("bits behind the binary point of the ", tensor, "; 0 for float32"),
      [access](auto& row) -> auto& { return access(row).fractional_length; }));
  columns.push_back(make_column<StoredLayerRow, std::int8_t>(
      prefix + "is_float32", "1", concat("1 when the ", tensor, " are float32, 0 when they are fixed point"),
      [access](auto& row) -> auto& { return access(row).is_float32; }));
}

/// Adds the three columns of what a tensor lost.
void add_loss(std::vector<Column<StoredLayerRow>>& columns, const std::string& prefix,
              const std::string& tensor, RoundingLoss LayerLosses::*losses) {
  const auto add = [&](const std::string& name, const std::string& unit, const std::string& description,
                       double RoundingLoss::*loss) {
    columns.push_back(make_column<StoredLayerRow, float>(
        prefix + name, unit,
        concat(description, ", in a sample of the step's first shard"), [=](auto& row) -> auto& {
          return row.losses.*losses.*loss;
        }));
    columns.back().required = false;  // younger than the first logs
  };
  add("zeroed", "1", concat("share of the ", tensor, " other than zero that were rounded to zero"),
      &RoundingLoss::zeroed);
  add("saturated", "1", concat("share of the ", tensor, " beyond their format's range"),
      &RoundingLoss::saturated);
  add("divergence", "nat",
      concat("KL divergence of the octaves of the ", tensor, " from those after rounding"),
      &RoundingLoss::divergence);
}

/// Adds the seconds of one phase.
template <class Access>
void add_phase(std::vector<Column<StepRecord>>& columns, const std::string& phase,
               const std::string& description, Access access) {
  columns.push_back(make_column<StepRecord, float>(
      "seconds_" + phase, "s",
      "wall clock of rank 0: " + description, [access](auto& row) -> auto& { return access(row.seconds); }));
}

std::vector<Column<StepRecord>> make_step_columns() {
  std::vector<Column<StepRecord>> columns;
  const auto add = [&](auto column) { columns.push_back(std::move(column)); };
  add(make_column<StepRecord, std::int64_t>(
      "step", "step", "optimizer step, from 1", [](auto& row) -> auto& { return row.step; }));
  add(make_column<StepRecord, double>(
      "loss", "nat", "training loss: cross entropy, regularization and penalty",
      [](auto& row) -> auto& { return row.loss; }));
  add(make_column<StepRecord, double>(
      "cross_entropy", "nat", "mean cross entropy over the global batch",
      [](auto& row) -> auto& { return row.cross_entropy; }));
  add(make_column<StepRecord, double>(
      "learning_rate", "1", "learning rate of the step",
      [](auto& row) -> auto& { return row.learning_rate; }));
  add_phase(
      columns, "data", "waiting for images", [](auto& s) -> auto& { return s.data; });
  add_phase(
      columns, "forward", "forward pass, quantization excluded", [](auto& s) -> auto& { return s.forward; });
  add_phase(
      columns, "backward", "backward pass, quantization excluded",
      [](auto& s) -> auto& { return s.backward; });
  add_phase(
      columns, "quantize", "all quantization", [](auto& s) -> auto& { return s.quantize; });
  add_phase(
      columns, "exchange", "gradient exchange", [](auto& s) -> auto& { return s.exchange; });
  add_phase(
      columns, "policy", "deciding and broadcasting the precision plan",
      [](auto& s) -> auto& { return s.policy; });
  add_phase(
      columns, "update", "optimizer update", [](auto& s) -> auto& { return s.update; });
  add_phase(
      columns, "record", "writing this log", [](auto& s) -> auto& { return s.record; });
  add(make_column<StepRecord, float>(
      "exposed_seconds", "s",
      "wall clock of rank 0: part of seconds_exchange, gradient exchange that backward did not hide",
      [](auto& row) -> auto& { return row.exposed_seconds; }));
  columns.back().required = false;  // files of adapt 0.1 lack it
  add(make_column<StepRecord, std::int64_t>(
      "bytes_sent", "byte", "gradient bytes that rank 0 sent to other ranks",
      [](auto& row) -> auto& { return row.bytes_sent; }));
  add(make_column<StepRecord, std::int64_t>(
      "messages_sent", "1", "messages in which rank 0 sent them",
      [](auto& row) -> auto& { return row.messages_sent; }));
  columns.back().required = false;  // younger than the first logs
  add(make_column<StepRecord, hdf5::FixedText<kStrategyBytes>>(
      "strategy", "", "strategy of the precision policy; empty when it has none",
      [](auto& row) -> auto& { return row.strategy; }));
  add(make_column<StepRecord, double>(
      "integer_share", "1",
      "multiply-adds of convolutions and linear layers, forward and backward, that were in exact integer "
      "arithmetic",
      [](auto& row) -> auto& { return row.integer_share; }));
  columns.back().required = false;  // younger than the first logs
  return columns;
}

std::vector<Column<EpochRecord>> make_epoch_columns() {
  std::vector<Column<EpochRecord>> columns;
  const auto add = [&](auto column) { columns.push_back(std::move(column)); };
  add(make_column<EpochRecord, std::int64_t>(
      "epoch", "epoch", "pass over the training set, from 1", [](auto& row) -> auto& { return row.epoch; }));
  add(make_column<EpochRecord, double>(
      "train_loss", "nat", "mean training loss of the epoch",
      [](auto& row) -> auto& { return row.train_loss; }));
  add(make_column<EpochRecord, double>(
      "train_accuracy", "1", "fraction right over the batches as trained on",
      [](auto& row) -> auto& { return row.train_accuracy; }));
  add(make_column<EpochRecord, double>(
      "test_loss", "nat", "mean cross entropy over the test set",
      [](auto& row) -> auto& { return row.test_loss; }));
  add(make_column<EpochRecord, double>(
      "test_accuracy", "1", "fraction right over the test set",
      [](auto& row) -> auto& { return row.test_accuracy; }));
  add(make_column<EpochRecord, double>(
      "seconds", "s", "measured wall clock of training, evaluation excluded",
      [](auto& row) -> auto& { return row.seconds; }));
  add(make_column<EpochRecord, double>(
      "test_seconds", "s", "measured wall clock of the evaluation",
      [](auto& row) -> auto& { return row.test_seconds; }));
  return columns;
}

std::vector<Column<StoredLayerRow>> make_layer_columns() {
  std::vector<Column<StoredLayerRow>> columns;
  const auto add = [&](auto column) { columns.push_back(std::move(column)); };
  add(make_column<StoredLayerRow, std::int64_t>(
      "step", "step", "optimizer step, from 1", [](auto& row) -> auto& { return row.step; }));
  add_format(
      columns, "", "weights", [](auto& row) -> auto& { return row.weights; });
  add_format(
      columns, "inputs_", "inputs", [](auto& row) -> auto& { return row.inputs; });
  add_format(
      columns, "outputs_", "outputs", [](auto& row) -> auto& { return row.outputs; });
  add_format(
      columns, "gradients_", "parameter gradients", [](auto& row) -> auto& { return row.gradients; });
  const std::size_t first_later = columns.size();
  add_format(
      columns, "operands_", "operands of residual sums", [](auto& row) -> auto& { return row.operands; });
  add_format(
      columns, "activation_gradients_", "gradients that flow back into the layer",
      [](auto& row) -> auto& { return row.activation_gradients; });
  for (std::size_t i = first_later; i < columns.size(); ++i) {
    columns[i].required = false;  // files of adapt 0.1 lack them
  }
  add(make_column<StoredLayerRow, std::int32_t>(
      "lookback", "step", "length of the policy's window",
      [](auto& row) -> auto& { return row.state.lookback; }));
  add(make_column<StoredLayerRow, std::int32_t>(
      "resolution", "1", "histogram bins of the policy",
      [](auto& row) -> auto& { return row.state.resolution; }));
  add(make_column<StoredLayerRow, float>(
      "diversity", "1", "gradient diversity of the last finished window",
      [](auto& row) -> auto& { return row.state.diversity; }));
  add(make_column<StoredLayerRow, float>(
      "divergence", "nat", "KL divergence found at the last precision switch",
      [](auto& row) -> auto& { return row.state.divergence; }));
  add(make_column<StoredLayerRow, float>(
      "density", "1", "share of quantized weights that are not zero",
      [](auto& row) -> auto& { return row.density; }));
  add(make_column<StoredLayerRow, float>(
      "dead_channels", "1",
      "share of output channels whose weights, or whose batch-norm scale, stay below 1/256 of the largest",
      [](auto& row) -> auto& { return row.dead_channels; }));
  columns.back().required = false;  // younger than the first logs
  add_loss(columns, "inputs_", "inputs", &LayerLosses::inputs);
  add_loss(columns, "outputs_", "outputs", &LayerLosses::outputs);
  add_loss(columns, "operands_", "operands of residual sums", &LayerLosses::operands);
  add_loss(columns, "activation_gradients_", "gradients that flow back into the layer",
           &LayerLosses::activation_gradients);
  return columns;
}

/// Adds the three fields of a format that lies at `offset`.
void add_format_fields(std::vector<SwitchField>& fields, const std::string& name, std::size_t offset) {
  fields.push_back({name + "_word_length", offset + offsetof(StoredFormat, word_length),
                    hdf5::Datatype::of<std::int32_t>()});
  fields.push_back({name + "_fractional_length", offset + offsetof(StoredFormat, fractional_length),
                    hdf5::Datatype::of<std::int32_t>()});
  fields.push_back(
      {name + "_is_float32", offset + offsetof(StoredFormat, is_float32), hdf5::Datatype::of<std::int8_t>()});
}

}  // namespace

FixedFormat checked_format(std::int64_t word_length, std::int64_t fractional_length,
                           const std::string& where) {
  if (word_length < 1 || word_length > kMaxWordLength) {
    throw hdf5::Error(concat(where, " holds word length ", word_length, ", expected 1..", kMaxWordLength));
  }
  if (fractional_length < kMinFractionalLength || fractional_length > kMaxFractionalLength) {
    throw hdf5::Error(concat(where, " holds fractional length ", fractional_length, ", expected ",
                             kMinFractionalLength, "..", kMaxFractionalLength));
  }
  return {static_cast<int>(word_length), static_cast<int>(fractional_length)};
}

StoredFormat to_stored(const std::optional<FixedFormat>& format) {
  return format ? StoredFormat{format->word_length, format->fractional_length, 0} : StoredFormat{};
}

std::optional<FixedFormat> from_stored(const StoredFormat& stored, const std::string& where) {
  if (stored.is_float32 != 0 && stored.is_float32 != 1) {
    throw hdf5::Error(concat(where, " holds is_float32 = ", int{stored.is_float32}, ", expected 0 or 1"));
  }
  const FixedFormat format = checked_format(stored.word_length, stored.fractional_length, where);
  return stored.is_float32 == 1 ? std::nullopt : std::optional(format);
}

StoredLayerRow to_stored(const LayerRecord& record) {
  return {record.step,
          to_stored(record.formats.weights),
          to_stored(record.formats.inputs),
          to_stored(record.formats.outputs),
          to_stored(record.formats.gradients),
          to_stored(record.formats.operands),
          to_stored(record.formats.activation_gradients),
          record.state,
          record.density,
          record.dead_channels,
          record.losses};
}

LayerRecord from_stored(const StoredLayerRow& stored, const std::string& where) {
  return {stored.step,
          {from_stored(stored.weights, where), from_stored(stored.inputs, where),
           from_stored(stored.outputs, where), from_stored(stored.gradients, where),
           from_stored(stored.operands, where), from_stored(stored.activation_gradients, where)},
          stored.state,
          stored.density,
          stored.dead_channels,
          stored.losses};
}

StoredSwitch to_stored(const SwitchEvent& event, const std::string& layer) {
  return {event.step,
          hdf5::FixedText<kLayerNameBytes>(layer),
          event.layer,
          to_stored(event.before),
          to_stored(event.after),
          to_stored(event.minimal),
          event.lookback,
          event.resolution,
          event.diversity,
          event.divergence,
          hdf5::FixedText<kStrategyBytes>(event.strategy)};
}

SwitchEvent from_stored(const StoredSwitch& stored, const std::vector<LoggedLayer>& layers) {
  const auto index = static_cast<std::size_t>(stored.layer_index);
  if (stored.layer_index < 0 || index >= layers.size() || layers[index].name != stored.layer.text()) {
    throw hdf5::Error(concat("/switches names layer '", stored.layer.text(), "' with index ",
                             stored.layer_index, ", which /layers does not have"));
  }
  return {stored.step,
          stored.layer_index,
          from_stored(stored.before, "/switches"),
          from_stored(stored.after, "/switches"),
          from_stored(stored.minimal, "/switches"),
          stored.lookback,
          stored.resolution,
          stored.diversity,
          stored.divergence,
          stored.strategy.text()};
}

std::vector<SwitchField> switch_fields() {
  std::vector<SwitchField> fields;
  const auto add = [&]<class T>(const char* name, std::size_t offset, const T* /*type*/) {
    fields.push_back({name, offset, hdf5::Datatype::of<T>()});
  };
  const StoredSwitch row;
  add("step", offsetof(StoredSwitch, step), &row.step);
  add("layer", offsetof(StoredSwitch, layer), &row.layer);
  add("layer_index", offsetof(StoredSwitch, layer_index), &row.layer_index);
  add_format_fields(fields, "before", offsetof(StoredSwitch, before));
  add_format_fields(fields, "after", offsetof(StoredSwitch, after));
  add_format_fields(fields, "minimal", offsetof(StoredSwitch, minimal));
  add("lookback", offsetof(StoredSwitch, lookback), &row.lookback);
  add("resolution", offsetof(StoredSwitch, resolution), &row.resolution);
  add("diversity", offsetof(StoredSwitch, diversity), &row.diversity);
  add("divergence", offsetof(StoredSwitch, divergence), &row.divergence);
  add("strategy", offsetof(StoredSwitch, strategy), &row.strategy);
  return fields;
}

hdf5::Datatype switch_type() {
  hdf5::Datatype type = hdf5::Datatype::compound(sizeof(StoredSwitch));
  for (const SwitchField& field : switch_fields()) {
    type.insert(field.name, field.offset, field.type);
  }
  return type;
}

const std::vector<Column<StepRecord>>& step_columns() {
  static const std::vector<Column<StepRecord>> columns = make_step_columns();
  return columns;
}

const std::vector<Column<EpochRecord>>& epoch_columns() {
  static const std::vector<Column<EpochRecord>> columns = make_epoch_columns();
  return columns;
}

const std::vector<Column<StoredLayerRow>>& layer_columns() {
  static const std::vector<Column<StoredLayerRow>> columns = make_layer_columns();
  return columns;
}

}  // namespace adapt::layout
