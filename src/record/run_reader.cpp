#include "record/run_reader.hpp"

#include <exception>
#include <new>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/state_bytes.hpp"
#include "hdf5/file.hpp"
#include "record/integrity.hpp"
#include "record/layout.hpp"
#include "record/tensor_check.hpp"

namespace adapt {
namespace {

using namespace layout;

/// What the rows of a file may take in memory: so much, and so many times the file's size. Columns that
/// hardly change are stored in little room.
constexpr std::uint64_t kBaseMemory = std::uint64_t{1} << 30U;
constexpr std::uint64_t kMemoryOfByte = 64;

constexpr std::size_t kLongestPath = 1U << 16U;

/// The bytes of a file whose seal is not broken.
std::vector<std::byte> read_sealed(const std::filesystem::path& path) {
  std::vector<std::byte> bytes = read_file(path, kLargestRunFile);
  if (check_seal(bytes) == Seal::broken) {
    throw BadInput(
        concat("run file ", path, " is damaged: its ", bytes.size(),
               " bytes do not have the digest that its last line gives; expected an unchanged copy"));
  }
  return bytes;
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
  return checked_format(dataset.integer_attribute(prefix + "word_length"),
                        dataset.integer_attribute(prefix + "fractional_length"), dataset.path());
}

/// Fills in format and integers.
void read_integers(const hdf5::Dataset& dataset, ModelTensor& tensor) {
  tensor.format = read_format(dataset, "");
  for (const std::int64_t q : dataset.read<std::int64_t>()) {
    if (!std::in_range<std::int32_t>(q)) {
      throw hdf5::Error(concat(dataset.path(), " holds ", q, ", expected integers of 32 bits"));
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
  if (const std::string flaw = flaw_of(tensor); !flaw.empty()) {
    throw hdf5::Error(concat(dataset.path(), " ", flaw));
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

BestModel read_best_model(const hdf5::Group& root) {
  if (!root.has(kBestModelGroup) || !root.group(kBestModelGroup).has_attribute(kBestEpoch)) {
    return {};
  }
  const hdf5::Group group = root.group(kBestModelGroup);
  return {count_attribute(group, kBestEpoch), read_tensors(group)};
}

std::vector<LoggedLayer> read_layers(const hdf5::Group& all) {
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
}

std::vector<LayerRecord> read_layer_rows(const hdf5::Group& group) {
  std::vector<LayerRecord> records;
  for (const StoredLayerRow& row : read_table(group, layer_columns())) {
    records.push_back(from_stored(row, group.path()));
  }
  return records;
}

std::vector<SwitchEvent> read_switches(const hdf5::Dataset& dataset, const std::vector<LoggedLayer>& layers) {
  const hdf5::Datatype stored = dataset.type();
  for (const SwitchField& field : switch_fields()) {
    const hdf5::Kind kind =
        stored.kind() == hdf5::Kind::compound ? stored.member_kind(field.name) : hdf5::Kind::other;
    if (kind != field.type.kind()) {
      throw hdf5::Error(concat("field '", field.name, "' of ", dataset.path(), " is missing or not ",
                               hdf5::kind_name(field.type.kind())));
    }
  }
  std::vector<SwitchEvent> events;
  for (const StoredSwitch& row : dataset.read<StoredSwitch>(switch_type())) {
    events.push_back(from_stored(row, layers));
  }
  return events;
}

void read_overview(const hdf5::Group& root, RunContents& contents) {
  contents.stripped = root.has_attribute("stripped");
  contents.configuration = root.dataset("config").read_text();
  if (root.has("graph")) {
    contents.graph = root.dataset("graph").read_text();
  }
  const hdf5::Group provenance = root.group("provenance");
  for (const std::string& name : provenance.attribute_names()) {
    contents.provenance[name] = provenance.text_attribute(name);
  }
  const hdf5::Group summary = root.group("summary");
  for (const std::string& name : summary.attribute_names()) {
    contents.summary[name] = summary.number_attribute(name);
  }
  contents.epochs = read_table(root.group("epochs"), epoch_columns());
}

void read_course(const hdf5::Group& root, RunContents& contents) {
  const hdf5::Group layers = root.group("layers");
  contents.layers = read_layers(layers);
  contents.steps = read_table(root.group("steps"), step_columns());
  contents.switches = read_switches(root.dataset("switches"), contents.layers);
  for (const LoggedLayer& layer : contents.layers) {
    contents.layer_rows[layer.name] = read_layer_rows(layers.group(layer.name));
  }
  contents.model = read_tensors(root.group(kModelGroup));
  contents.best_model = read_best_model(root);
}

RunContents read_contents(const std::vector<std::byte>& bytes, const std::filesystem::path& path,
                          RunParts parts) {
  const Confinement confinement(kBaseMemory + kMemoryOfByte * bytes.size());
  const hdf5::File file = hdf5::File::open(bytes, path.string());
  const hdf5::Group root = file.root();
  check_format(root);
  RunContents contents;
  read_overview(root, contents);
  if (parts == RunParts::all) {
    read_course(root, contents);
  }
  return contents;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const char* reason) {
  throw BadInput(
      concat("cannot read run file ", path, ": ", reason, "; expected a run.h5 as adapt writes it"));
}

/// In the child. `request`: the parts, then the path.
std::vector<std::byte> read_run(std::span<const std::byte> request) {
  StateReader reader(request);
  const auto parts = reader.get<RunParts>();
  const std::filesystem::path path = reader.get_text(kLongestPath);
  try {
    const auto done = read_done(path.parent_path());  // first: it is written after what it vouches for
    const std::vector<std::byte> bytes = read_sealed(path);
    RunContents contents = read_contents(bytes, path, parts);
    contents.done = check_done(done, bytes);
    return encode(std::move(contents));
  } catch (const BadInput&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // whatever it is, the file brought it about
    refuse(path, error.what());
  }
}

const IsolatedFunction kReadRun("read-run", read_run);

RunContents decode_answer(const std::vector<std::byte>& answer, const std::filesystem::path& path) {
  try {
    return decode_run_contents(answer);
  } catch (const BadInput&) {
    refuse(path, "it spoils its reader");
  }
}

}  // namespace

RunReader::RunReader() : child_(kReadRun) {}

RunContents RunReader::read(const std::filesystem::path& file, RunParts parts) {
  StateWriter request;
  request.put(parts);
  request.put_text(file.string());
  try {
    return decode_answer(child_.call(request.bytes()), file);
  } catch (const NoAnswer& error) {
    refuse(file, error.what());
  }
}

}  // namespace adapt
