#include "record/run_file.hpp"

#include <optional>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "hdf5/file.hpp"
#include "hdf5/untrusted.hpp"
#include "record/layout.hpp"

namespace adapt {
namespace {

using namespace layout;

/// Runs `body`; an hdf5::Error becomes BadInput with the path.
template <class Body>
auto guarded(const std::filesystem::path& path, Body&& body) {
  try {
    return body();
  } catch (const hdf5::Error& error) {
    throw BadInput(
        concat("cannot read run file ", path, ": ", error.what(), "; expected a run.h5 as adapt writes it"));
  }
}

std::filesystem::path file_of(const std::filesystem::path& run_dir) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(run_dir, ignored)) {
    return run_dir;
  }
  if (!std::filesystem::exists(run_dir / kFileName, ignored)) {
    throw BadInput(concat("folder ", run_dir, " holds no ", kFileName, ": expected the folder of a run"));
  }
  return run_dir / kFileName;
}

struct Opened {
  hdf5::File file;
  Done done;
};

/// Opens a file whose seal is intact, or that has none and looks harmless.
Opened open_file(const std::filesystem::path& path) {
  const std::optional<std::string> done = read_done(path.parent_path());
  const std::vector<std::byte> bytes = read_file(path);
  const Seal seal = check_seal(bytes);
  if (seal == Seal::broken) {
    throw BadInput(
        concat("run file ", path, " is damaged: its ", bytes.size(),
               " bytes do not have the digest that its last line gives; expected an unchanged copy"));
  }
  if (seal == Seal::absent) {
    hdf5::check_untrusted(bytes);
  }
  return {hdf5::File::open(bytes, path.string()), check_done(done, bytes)};
}

void check_format(const hdf5::Group& root) {
  if (!root.has_attribute("format_name") || root.text_attribute("format_name") != kFormatName) {
    throw hdf5::Error(concat("it is HDF5, but its attribute format_name is not '", kFormatName, "'"));
  }
  const std::int64_t version = root.integer_attribute("format_version");
  if (version < 1 || version > kFormatVersion) {
    throw hdf5::Error(concat("its format_version is ", version, ", this program knows 1..", kFormatVersion,
                             version > kFormatVersion ? " (written by a newer adapt)" : ""));
  }
}

std::int64_t count_attribute(const hdf5::Node& node, const std::string& name) {
  const std::int64_t count = node.integer_attribute(name);
  if (count < 0) {
    throw hdf5::Error(concat("attribute '", name, "' of ", node.path(), " is ", count));
  }
  return count;
}

/// The format that the attributes `<prefix>word_length` and `<prefix>fractional_length` hold.
FixedFormat read_format(const hdf5::Dataset& dataset, const std::string& prefix) {
  const std::int64_t word_length = dataset.integer_attribute(prefix + "word_length");
  const std::int64_t fractional_length = dataset.integer_attribute(prefix + "fractional_length");
  if (word_length < 1 || word_length > 32 || !std::in_range<std::int16_t>(fractional_length)) {
    throw hdf5::Error(concat(dataset.path(), " has format <", word_length, ",", fractional_length,
                             ">, expected a word length of 1..32"));
  }
  return {static_cast<int>(word_length), static_cast<int>(fractional_length)};
}

/// Fills in format and integers, which must be numbers of the format.
void read_integers(const hdf5::Dataset& dataset, ModelTensor& tensor) {
  tensor.format = read_format(dataset, "");
  for (const std::int64_t q : dataset.read<std::int64_t>()) {
    if (q < tensor.format->lowest() || q > tensor.format->highest()) {
      throw hdf5::Error(
          concat(dataset.path(), " holds ", q, ", which its format ", *tensor.format, " does not"));
    }
    tensor.integers.push_back(static_cast<std::int32_t>(q));
  }
}

ModelTensor read_tensor(const hdf5::Dataset& dataset, const std::string& name) {
  ModelTensor tensor{name, dataset.dims(), std::nullopt, {}, {}};
  if (dataset.type().kind() == hdf5::Kind::integer) {
    read_integers(dataset, tensor);
  } else {
    tensor.numbers = dataset.read<float>();
  }
  if (dataset.has_attribute("inputs_word_length")) {
    tensor.inputs = read_format(dataset, "inputs_");
  }
  if (dataset.has_attribute("outputs_word_length")) {
    tensor.outputs = read_format(dataset, "outputs_");
  }
  if (dataset.has_attribute("operands_word_length")) {
    tensor.operands = read_format(dataset, "operands_");
  }
  return tensor;
}

std::vector<ModelTensor> read_tensors(const hdf5::Group& group) {
  std::vector<ModelTensor> tensors;
  for (const std::string& name : group.names()) {
    tensors.push_back(read_tensor(group.dataset(name), name));
  }
  return tensors;
}

std::vector<StoredSwitch> read_switches(const hdf5::Dataset& dataset) {
  const hdf5::Datatype stored = dataset.type();
  for (const SwitchField& field : switch_fields()) {
    const hdf5::Kind kind =
        stored.kind() == hdf5::Kind::compound ? stored.member_kind(field.name) : hdf5::Kind::other;
    if (kind != field.type.kind()) {
      throw hdf5::Error(concat("field '", field.name, "' of ", dataset.path(), " is missing or not ",
                               hdf5::kind_name(field.type.kind())));
    }
  }
  return dataset.read<StoredSwitch>(switch_type());
}

}  // namespace

struct RunFile::Implementation {
  explicit Implementation(const std::filesystem::path& run_dir)
      : path(file_of(run_dir)), opened(guarded(path, [&] { return open_file(path); })) {
    guarded(path, [&] { check_format(file.root()); });
  }

  std::filesystem::path path;
  Opened opened;
  hdf5::File& file = opened.file;
};

RunFile::RunFile(const std::filesystem::path& run_dir)
    : implementation_(std::make_unique<Implementation>(run_dir)) {}

RunFile::~RunFile() = default;

std::string RunFile::configuration() const {
  return guarded(implementation_->path,
                 [&] { return implementation_->file.root().dataset("config").read_text(); });
}

std::map<std::string, std::string> RunFile::provenance() const {
  return guarded(implementation_->path, [&] {
    const hdf5::Group group = implementation_->file.root().group("provenance");
    std::map<std::string, std::string> values;
    for (const std::string& name : group.attribute_names()) {
      values[name] = group.text_attribute(name);
    }
    return values;
  });
}

std::map<std::string, double> RunFile::summary() const {
  return guarded(implementation_->path, [&] {
    const hdf5::Group group = implementation_->file.root().group("summary");
    std::map<std::string, double> figures;
    for (const std::string& name : group.attribute_names()) {
      figures[name] = group.number_attribute(name);
    }
    return figures;
  });
}

std::vector<LoggedLayer> RunFile::layers() const {
  return guarded(implementation_->path, [&] {
    const hdf5::Group all = implementation_->file.root().group("layers");
    std::map<std::int64_t, LoggedLayer> by_index;
    for (const std::string& name : all.names()) {
      const hdf5::Group group = all.group(name);
      const std::int64_t index = count_attribute(group, "index");
      const LoggedLayer layer{name, count_attribute(group, "madds"), count_attribute(group, "parameters")};
      if (!by_index.emplace(index, layer).second) {
        throw hdf5::Error(concat(group.path(), " has index ", index, ", as another layer has"));
      }
    }
    std::vector<LoggedLayer> layers;
    for (const auto& [index, layer] : by_index) {
      if (index != static_cast<std::int64_t>(layers.size())) {
        throw hdf5::Error(concat("/layers has no layer with index ", layers.size(), " but one with ", index));
      }
      layers.push_back(layer);
    }
    return layers;
  });
}

std::vector<StepRecord> RunFile::steps() const {
  return guarded(implementation_->path,
                 [&] { return read_table(implementation_->file.root().group("steps"), step_columns()); });
}

std::vector<EpochRecord> RunFile::epochs() const {
  return guarded(implementation_->path,
                 [&] { return read_table(implementation_->file.root().group("epochs"), epoch_columns()); });
}

std::vector<SwitchEvent> RunFile::switches() const {
  const std::vector<LoggedLayer> known = layers();
  return guarded(implementation_->path, [&] {
    std::vector<SwitchEvent> events;
    for (const StoredSwitch& row : read_switches(implementation_->file.root().dataset("switches"))) {
      events.push_back(from_stored(row, known));
    }
    return events;
  });
}

std::vector<LayerRecord> RunFile::layer_rows(const std::string& name) const {
  return guarded(implementation_->path, [&] {
    const hdf5::Group group = implementation_->file.root().group("layers").group(name);
    std::vector<LayerRecord> records;
    for (const StoredLayerRow& row : read_table(group, layer_columns())) {
      records.push_back(from_stored(row, group.path()));
    }
    return records;
  });
}

std::vector<ModelTensor> RunFile::model() const {
  return guarded(implementation_->path,
                 [&] { return read_tensors(implementation_->file.root().group(kModelGroup)); });
}

BestModel RunFile::best_model() const {
  return guarded(implementation_->path, [&] {
    const hdf5::Group root = implementation_->file.root();
    if (!root.has(kBestModelGroup) || !root.group(kBestModelGroup).has_attribute(kBestEpoch)) {
      return BestModel{};
    }
    const hdf5::Group group = root.group(kBestModelGroup);
    return BestModel{count_attribute(group, kBestEpoch), read_tensors(group)};
  });
}

bool RunFile::done() const {
  return done_mark() == Done::matches || guarded(implementation_->path, [&] {
           return implementation_->file.root().has_attribute("stripped");
         });
}

Done RunFile::done_mark() const { return implementation_->opened.done; }

}  // namespace adapt
