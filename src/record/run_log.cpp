#include "record/run_log.hpp"

#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/phase.hpp"
#include "hdf5/file.hpp"
#include "record/integrity.hpp"
#include "record/layout.hpp"
#include "record/run_file.hpp"
#include "record/tensor_check.hpp"

namespace adapt {
namespace {

using namespace layout;

/// Rows that are stored together: long series compress better in large chunks, while the last, partly filled
/// chunk of every column is compressed anew by each flush.
constexpr std::size_t kSeriesChunk = 4096;
constexpr std::size_t kEventChunk = 256;

/// Runs `body`; an hdf5::Error becomes a Failure with the path.
template <class Body>
void guarded(const std::filesystem::path& path, Body&& body) {
  try {
    body();
  } catch (const hdf5::Error& error) {
    throw MachineFailure(concat("cannot write run log ", path, ": ", error.what()));
  }
}

void describe(hdf5::Node& node, const std::string& unit, const std::string& description) {
  node.set_attribute("unit", unit);
  node.set_attribute("description", description);
}

/// Removes what an earlier process left: its DONE, and the half-written file of one that was killed. A folder
/// is none of ours.
void remove_leftovers(const std::filesystem::path& run_dir) {
  std::set<std::filesystem::path> leftovers = {run_dir / kDoneName};
  for (const auto& entry : std::filesystem::directory_iterator(run_dir)) {
    if (entry.path().filename().string().starts_with(concat(kFileName, ".tmp.")) && !entry.is_directory()) {
      leftovers.insert(entry.path());
    }
  }
  for (const auto& path : leftovers) {
    std::filesystem::remove(path);
  }
}

/// A link that leads to a folder is followed: the user who names it has chosen the place.
void prepare_folder(const std::filesystem::path& run_dir) {
  try {
    std::filesystem::create_directories(run_dir);
    remove_leftovers(run_dir);
  } catch (const std::filesystem::filesystem_error& error) {
    throw MachineFailure(concat("cannot prepare run folder ", run_dir, ": ", error.code().message()));
  }
}

/// Stores integers as T.
template <class T>
hdf5::Dataset write_integers(hdf5::Group& group, const ModelTensor& tensor) {
  const std::vector<T> elements(tensor.integers.begin(), tensor.integers.end());
  return group.create_array(tensor.name, std::span(tensor.dims), std::span<const T>(elements));
}

hdf5::Dataset write_fixed(hdf5::Group& group, const ModelTensor& tensor) {
  const FixedFormat format = *tensor.format;
  hdf5::Dataset dataset = format.word_length <= 8    ? write_integers<std::int8_t>(group, tensor)
                          : format.word_length <= 16 ? write_integers<std::int16_t>(group, tensor)
                                                     : write_integers<std::int32_t>(group, tensor);
  describe(dataset, "2^-fractional_length", "fixed-point integers q; a weight is q * 2^-fractional_length");
  dataset.set_attribute("word_length", std::int64_t{format.word_length});
  dataset.set_attribute("fractional_length", std::int64_t{format.fractional_length});
  return dataset;
}

hdf5::Dataset write_float32(hdf5::Group& group, const ModelTensor& tensor) {
  hdf5::Dataset dataset =
      group.create_array(tensor.name, std::span(tensor.dims), std::span<const float>(tensor.numbers));
  describe(dataset, "1", "float32 weights");
  dataset.set_attribute("format", "float32");
  return dataset;
}

void write_activation_format(hdf5::Dataset& dataset, const std::string& which,
                             const std::optional<FixedFormat>& format) {
  if (!format) {
    return;
  }
  dataset.set_attribute(which + "_word_length", std::int64_t{format->word_length});
  dataset.set_attribute(which + "_fractional_length", std::int64_t{format->fractional_length});
}

void write_tensor(hdf5::Group& group, const ModelTensor& tensor) {
  if (const std::string flaw = flaw_of(tensor); !flaw.empty()) {
    throw hdf5::Error(concat("tensor ", tensor.name, " ", flaw));
  }
  hdf5::Dataset dataset = tensor.format ? write_fixed(group, tensor) : write_float32(group, tensor);
  write_activation_format(dataset, "inputs", tensor.inputs);
  write_activation_format(dataset, "outputs", tensor.outputs);
  write_activation_format(dataset, "operands", tensor.operands);
}

/// Replaces the group `name`.
hdf5::Group write_tensors(hdf5::Group& root, const std::string& name, std::span<const ModelTensor> tensors) {
  root.remove(name);
  hdf5::Group group = root.create_group(name);
  for (const ModelTensor& tensor : tensors) {
    write_tensor(group, tensor);
  }
  return group;
}

}  // namespace

struct RunLog::Implementation {
  Implementation(const std::filesystem::path& run_dir, const std::string& configuration,
                 const std::map<std::string, std::string>& provenance, const std::vector<LoggedLayer>& logged,
                 const std::string& graph)
      : path(run_dir / kFileName), done_path(run_dir / kDoneName), layers(logged) {
    root.set_attribute("format_name", kFormatName);
    root.set_attribute("format_version", kFormatVersion);
    hdf5::Dataset text = root.create_text("config", configuration);
    describe(text, "", "resolved configuration, YAML");
    hdf5::Dataset network = root.create_text("graph", graph);
    describe(network, "", "the network, as a model file, YAML");
    hdf5::Group origin = root.create_group("provenance");
    for (const auto& [name, value] : provenance) {
      origin.set_attribute(name, value);
    }
    create_tables();
    root.create_group(kModelGroup);
    root.create_group(kBestModelGroup);
    root.create_group("summary");
  }

  void create_tables() {
    hdf5::Group step_group = root.create_group("steps");
    steps.emplace(step_group, step_columns(), kSeriesChunk);
    hdf5::Group epoch_group = root.create_group("epochs");
    epochs.emplace(epoch_group, epoch_columns(), kEventChunk);
    hdf5::Group all_layers = root.create_group("layers");
    for (std::size_t i = 0; i < layers.size(); ++i) {
      hdf5::Group group = all_layers.create_group(layers[i].name);
      group.set_attribute("index", static_cast<std::int64_t>(i));
      group.set_attribute("madds", layers[i].madds);
      group.set_attribute("parameters", layers[i].parameters);
      layer_tables.emplace_back(group, layer_columns(), kSeriesChunk);
    }
    switches.emplace(root.create_series("switches", switch_memory.packed(), kEventChunk));
    describe(*switches, "",
             "one row per precision switch; formats are the weights', in bits; is_float32 = 1: no "
             "fixed-point format; "
             "lookback in steps, divergence in nat");
  }

  /// Appends the rows of an earlier part of the run.
  void take_over(const Continuation& continuation) {
    const RunFile& earlier = continuation.earlier;
    const auto take = [](const auto& rows, auto belongs, auto append) {
      for (const auto& row : rows) {
        if (belongs(row)) {
          append(row);
        }
      }
    };
    const auto by_step = [&](const auto& row) { return row.step <= continuation.last_step; };
    take(earlier.steps(), by_step, [&](const StepRecord& row) { steps->append(row); });
    take(
        earlier.epochs(), [&](const EpochRecord& row) { return row.epoch <= continuation.last_epoch; },
        [&](const EpochRecord& row) { epochs->append(row); });
    take(earlier.switches(), by_step, [&](const SwitchEvent& event) { append(event); });
    for (std::size_t i = 0; i < layers.size(); ++i) {
      take(earlier.layer_rows(layers[i].name), by_step,
           [&](const LayerRecord& row) { layer_tables[i].append(to_stored(row)); });
    }
  }

  const LoggedLayer& layer(int index) const {
    if (index < 0 || static_cast<std::size_t>(index) >= layers.size()) {
      throw hdf5::Error(concat("there is no layer ", index, ", expected 0..", layers.size()));
    }
    return layers[static_cast<std::size_t>(index)];
  }

  void append(const SwitchEvent& event) {
    pending_switches.push_back(to_stored(event, layer(event.layer).name));
  }

  /// Moves all kept rows into the image and writes it.
  void flush() {
    const phase::Scope scope("log");
    phase::begin("gather");
    steps->flush();
    epochs->flush();
    for (auto& table : layer_tables) {
      table.flush();
    }
    switches->append(std::span<const StoredSwitch>(pending_switches), switch_memory);
    pending_switches.clear();
    std::vector<std::byte> image = file.image();
    append_seal(image);
    write_atomically(path, image);
  }

  std::filesystem::path path;
  std::filesystem::path done_path;
  std::vector<LoggedLayer> layers;
  hdf5::File file = hdf5::File::create();
  hdf5::Group root = file.root();
  hdf5::Datatype switch_memory = switch_type();
  std::optional<Table<StepRecord>> steps;
  std::optional<Table<EpochRecord>> epochs;
  std::vector<Table<StoredLayerRow>> layer_tables;
  std::optional<hdf5::Dataset> switches;
  std::vector<StoredSwitch> pending_switches;
  bool has_model = false;
};

RunLog::RunLog(const std::filesystem::path& run_dir, const std::string& configuration,
               const std::map<std::string, std::string>& provenance, const std::vector<LoggedLayer>& layers,
               const std::string& graph) {
  prepare_folder(run_dir);
  guarded(run_dir / kFileName, [&] {
    implementation_ = std::make_unique<Implementation>(run_dir, configuration, provenance, layers, graph);
    implementation_->flush();
  });
}

RunLog::RunLog(const std::filesystem::path& run_dir, const std::string& configuration,
               const std::map<std::string, std::string>& provenance, const std::vector<LoggedLayer>& layers,
               const Continuation& continuation, const std::string& graph) {
  if (continuation.earlier.layers() != layers) {
    throw BadInput(concat("run ", run_dir,
                          " cannot go on: its log holds other layers than the model has; expected "
                          "the experiment that it was started with"));
  }
  prepare_folder(run_dir);
  guarded(run_dir / kFileName, [&] {
    implementation_ = std::make_unique<Implementation>(run_dir, configuration, provenance, layers, graph);
    implementation_->take_over(continuation);
    implementation_->flush();
  });
}

RunLog::~RunLog() = default;

void RunLog::append(const StepRecord& record) { implementation_->steps->append(record); }

void RunLog::append(const EpochRecord& record) { implementation_->epochs->append(record); }

void RunLog::append(int layer, const LayerRecord& record) {
  guarded(implementation_->path, [&] {
    static_cast<void>(implementation_->layer(layer));
    implementation_->layer_tables[static_cast<std::size_t>(layer)].append(to_stored(record));
  });
}

void RunLog::append(const SwitchEvent& event) {
  guarded(implementation_->path, [&] { implementation_->append(event); });
}

void RunLog::write_model(std::span<const ModelTensor> tensors) {
  guarded(implementation_->path, [&] {
    write_tensors(implementation_->root, kModelGroup, tensors);
    implementation_->has_model = true;
  });
}

void RunLog::write_best_model(std::span<const ModelTensor> tensors, std::int64_t epoch) {
  guarded(implementation_->path, [&] {
    hdf5::Group group = write_tensors(implementation_->root, kBestModelGroup, tensors);
    group.set_attribute(kBestEpoch, epoch);
  });
}

void RunLog::write_summary(const std::map<std::string, double>& figures) {
  guarded(implementation_->path, [&] {
    implementation_->root.remove("summary");
    hdf5::Group group = implementation_->root.create_group("summary");
    for (const auto& [name, value] : figures) {
      group.set_attribute(name, value);
    }
  });
}

void RunLog::flush() {
  guarded(implementation_->path, [&] { implementation_->flush(); });
}

void RunLog::finish() {
  if (!implementation_->has_model) {
    throw Failure(
        concat("cannot finish run log ", implementation_->path, ": the final model was not written"));
  }
  flush();
  const phase::Scope scope("done");
  write_atomically(implementation_->done_path, done_text(read_file(implementation_->path, kLargestRunFile)));
}

}  // namespace adapt
