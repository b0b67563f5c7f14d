#include "experiment/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include "data/dataset.hpp"
#include "data/source_file.hpp"
#include "precision/bounds.hpp"
#include "yaml/domain.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kMany = 1000000000;
constexpr std::int64_t kLargestSeed = 9223372036854775807;
constexpr IntegerDomain kWordLength{kLowestWordLength, kHighestWordLength};
constexpr IntegerDomain kFractionalLength{kLowestFractionalLength, kHighestFractionalLength};
constexpr AscendingDomain kWordLengths{kLowestWordLength, kHighestWordLength};

/// The function that picks a member, as bind() takes it.
#define ADAPT_MEMBER(path) \
  [](auto& configuration) -> auto& { return configuration.path; }

/// One of the names that a registry knows.
struct RegistryDomain {
  std::vector<std::string> KnownNames::*list;

  static std::string format(const std::string& value) { return format_name(value); }
};

/// The domain itself; of a registry, what it holds.
template <class Domain>
const Domain& of(const Domain& domain, const KnownNames& /*names*/) {
  return domain;
}
ChoiceDomain of(const RegistryDomain& domain, const KnownNames& names) { return {names.*domain.list}; }

/// Binds `key` to the member that `member(configuration)` returns, with values from `domain`.
template <class Member, class Domain>
Setting bind(const std::string& key, Member member, Domain domain, const std::string& doc,
             bool identifies = true) {
  using Value = std::remove_cvref_t<decltype(member(std::declval<Configuration&>()))>;
  Setting setting;
  setting.key = key;
  setting.doc = doc;
  setting.identifies = identifies;
  setting.read = [=](Configuration& configuration, const YAML::Node& node, const KnownNames& names) {
    member(configuration) = static_cast<Value>(of(domain, names).parse(node));
  };
  setting.write = [=](const Configuration& configuration) { return domain.format(member(configuration)); };
  setting.describe = [=](const KnownNames& names) { return of(domain, names).describe(); };
  return setting;
}

/// A key that older runs do not have: where it has its default it does not count, and their identity stays.
Setting young(Setting setting) {
  setting.neutral = setting.write(Configuration());
  return setting;
}

/// Which network. A name means the shipped network of that name, until a graph says otherwise.
Setting model_name() {
  Setting setting;
  setting.key = "model.name";
  setting.doc = "which network; model.file: PATH instead takes one from a file of its own";
  setting.read = [](Configuration& configuration, const YAML::Node& node, const KnownNames& /*names*/) {
    configuration.model.name = LabelDomain::parse(node);
    configuration.model.graph.clear();
    configuration.model.text.clear();
  };
  setting.write = [](const Configuration& configuration) { return format_name(configuration.model.name); };
  setting.describe = [](const KnownNames& names) { return ChoiceDomain{names.models}.describe(); };
  return setting;
}

/// The text of a model file, which `model.file` puts here.
Setting model_graph() {
  Setting setting = young(
      bind("model.graph", ADAPT_MEMBER(model.graph), TextDomain{}, "the network itself, as in a model file"));
  setting.is_optional = true;
  setting.read = [read = setting.read](Configuration& configuration, const YAML::Node& node,
                                       const KnownNames& names) {
    read(configuration, node, names);
    configuration.model.text.clear();  // of another file
  };
  return setting;
}

/// Where the weights are that a training starts from, and what identifies them.
Setting model_weights() {
  Setting setting = young(bind(kModelWeights, ADAPT_MEMBER(model.weights), PathDomain{},
                               "run folder, .npz or .onnx file to start from", false));
  setting.is_optional = true;
  return setting;
}

Setting model_weights_digest() {
  Setting setting = young(bind("model.weights_sha256", ADAPT_MEMBER(model.weights_sha256), PathDomain{},
                               "SHA-256 of the file that model.weights names"));
  setting.is_optional = true;
  return setting;
}

void add(std::vector<Setting>& table, std::vector<Setting> more) {
  std::move(more.begin(), more.end(), std::back_inserter(table));
}

std::vector<Setting> general_settings() {
  return {
      bind("name", ADAPT_MEMBER(name), LabelDomain{}, "for people and folder names; does not change the run",
           false),
      bind("seed", ADAPT_MEMBER(seed), IntegerDomain{0, kLargestSeed}, "of everything random"),
      model_name(),
      model_graph(),
      bind("model.init_scale", ADAPT_MEMBER(model.init_scale), NumberDomain{0, 100, Ends::open_low},
           "s of TNVS: truncated normal with standard deviation sqrt(s / fan_in); model.weights: PATH "
           "instead starts from the model of a run folder, or from an .npz or .onnx file"),
      model_weights(),
      model_weights_digest(),
      bind("engine.name", ADAPT_MEMBER(engine.name), OpenNameDomain<Engine>{"auto"},
           "float32: plain; bfloat16: mixed precision, float32 master; emulated: fixed-point operands, "
           "float32 arithmetic; integer: the same meaning, products of up to 16 bits in exact integers; "
           "auto: the "
           "fastest that fits policy and processor"),
      bind("engine.rounding", ADAPT_MEMBER(engine.rounding), NameDomain<Rounding>{},
           "rounding of activations in training"),
      bind("exchange.encoding", ADAPT_MEMBER(exchange.encoding), OpenNameDomain<Encoding>{"auto"},
           "gradients on the wire; auto: layer when the policy quantizes gradients, else exact"),
      bind("exchange.error_feedback", ADAPT_MEMBER(exchange.error_feedback), BooleanDomain{},
           "int8, int16: each shard adds what rounding took from its gradient to its next one"),
      bind("exchange.algorithm", ADAPT_MEMBER(exchange.algorithm), OpenNameDomain<Algorithm>{"auto"},
           "messages by which integers are summed over the ranks; auto: what is fastest by links measured at "
           "the start; the bits are the same",
           false),
      bind("exchange.overlap", ADAPT_MEMBER(exchange.overlap), BooleanDomain{},
           "gradients of layers that are ready travel while backward goes on; the bits are the same", false),
  };
}

std::vector<Setting> data_settings() {
  return {
      bind("data.name", ADAPT_MEMBER(data.name), RegistryDomain{&KnownNames::datasets}, "which dataset"),
      bind(kDataPath, ADAPT_MEMBER(data.path), PathDomain{},
           "folder that holds the dataset's folder, empty: $ADAPT_DATA, else data/; of arrays the HDF5 file "
           "or the "
           "folder of .npy files, of png_folder the folder: there it counts for the identity",
           false),
      bind("data.train_samples", ADAPT_MEMBER(data.train_samples), IntegerDomain{0, kMany},
           "train on the first so many images; 0: all"),
      bind("data.test_samples", ADAPT_MEMBER(data.test_samples), IntegerDomain{0, kMany},
           "test on the first so many images; 0: all"),
      bind("data.folds", ADAPT_MEMBER(data.folds), IntegerDomain{0, 1000},
           "cross validation: cut the training set into so many stratified folds; 0: use the test set"),
      bind("data.fold", ADAPT_MEMBER(data.fold), IntegerDomain{0, 999},
           "the fold to test on, from 0; the others are trained on"),
      bind("data.augmentation", ADAPT_MEMBER(data.augmentation), NameDomain<AugmentationKind>{},
           "random changes of the training images"),
      bind("data.crop_padding", ADAPT_MEMBER(data.crop_padding), IntegerDomain{0, kMostCropPadding},
           "zero pixels on each side before a random crop"),
  };
}

std::vector<Setting> training_settings() {
  return {
      bind("training.epochs", ADAPT_MEMBER(training.epochs), IntegerDomain{1, 100000},
           "passes over the training set"),
      bind("training.target_accuracy", ADAPT_MEMBER(training.target_accuracy), NumberDomain{0, 1},
           "end after the first epoch that reaches this test accuracy (a fraction); 0: train all epochs"),
      bind("training.batch", ADAPT_MEMBER(training.batch), IntegerDomain{1, 1048576},
           "images per mini-batch over all shards; a multiple of training.shards"),
      bind("training.accumulate", ADAPT_MEMBER(training.accumulate), IntegerDomain{1, 1024},
           "mini-batches whose gradients are averaged for one optimizer step"),
      bind("training.shards", ADAPT_MEMBER(training.shards), IntegerDomain{1, 4096},
           "virtual shards of a mini-batch; their number, not that of the ranks, decides the result"),
      bind("training.threads", ADAPT_MEMBER(training.threads), IntegerDomain{1, 1024},
           "threads per rank; they train shards side by side"),
      bind("training.learning_rate", ADAPT_MEMBER(training.learning_rate),
           NumberDomain{0, 1000, Ends::open_low}, "base learning rate"),
      bind("training.momentum", ADAPT_MEMBER(training.momentum), NumberDomain{0, 1, Ends::open_high},
           "of stochastic gradient descent"),
      bind("training.weight_decay", ADAPT_MEMBER(training.weight_decay), NumberDomain{0, 1},
           "beta: coefficient of half the squared L2 norm of the weights in the loss"),
      bind("training.l1", ADAPT_MEMBER(training.l1), NumberDomain{0, 1},
           "alpha: coefficient of the L1 norm of the weights in the loss"),
      young(bind("training.label_smoothing", ADAPT_MEMBER(training.label_smoothing),
                 NumberDomain{0, 1, Ends::open_high},
                 "share of the loss's target that is spread over all classes")),
      young(bind("training.decayed", ADAPT_MEMBER(training.decayed), NameDomain<Decayed>{},
                 "what weight_decay and l1 act on; weights: not biases, scales and shifts")),
      bind("training.normalize", ADAPT_MEMBER(training.normalize), NameDomain<Normalize>{},
           "length of gradients; yes: each layer's is 1, tensor: each tensor's, relative: that of its "
           "weights; "
           "auto: yes with adapt"),
      bind("training.penalty", ADAPT_MEMBER(training.penalty), BooleanDomain{},
           "add AdaPT's word-length penalty to the loss that the policy sees"),
      bind("training.test_batch", ADAPT_MEMBER(training.test_batch), IntegerDomain{0, 1048576},
           "images per forward pass of an evaluation; 0: as many as a shard has"),
      bind("training.final_epochs", ADAPT_MEMBER(training.final_epochs), IntegerDomain{1, 100000},
           "epochs of the policy's final phase (muppet: float32), after which the run ends"),
      bind("training.schedule.name", ADAPT_MEMBER(training.schedule.name), NameDomain<ScheduleKind>{},
           "how the learning rate moves"),
      bind("training.schedule.warmup_epochs", ADAPT_MEMBER(training.schedule.warmup_epochs),
           NumberDomain{0, 100000},
           "linear from 0 to the base rate over so many epochs, fewer than training.epochs"),
      bind("training.schedule.milestones", ADAPT_MEMBER(training.schedule.milestones),
           AscendingDomain{1, 100000}, "multi_step: epochs after which the rate is multiplied by factor"),
      bind("training.schedule.factor", ADAPT_MEMBER(training.schedule.factor), NumberDomain{0, 1, Ends::open},
           "multi_step, reduce_on_plateau: the rate is multiplied by it"),
      bind("training.schedule.patience", ADAPT_MEMBER(training.schedule.patience), IntegerDomain{0, 100000},
           "reduce_on_plateau: epochs without improvement that are tolerated"),
      bind("training.schedule.threshold", ADAPT_MEMBER(training.schedule.threshold),
           NumberDomain{0, 1, Ends::open_high},
           "reduce_on_plateau: relative improvement of the training loss that counts"),
      bind("training.schedule.minimum", ADAPT_MEMBER(training.schedule.minimum),
           NumberDomain{0, 1, Ends::open_high},
           "share of training.learning_rate where cosine and linear end and the others stop falling"),
      bind("training.schedule.origin", ADAPT_MEMBER(training.schedule.origin), NameDomain<ScheduleOrigin>{},
           "epochs count from the start of the run, or of the policy's final phase (muppet: float32)"),
  };
}

std::vector<Setting> precision_settings() {
  return {
      bind("precision.policy", ADAPT_MEMBER(precision.name), NameDomain<Policy>{},
           "who decides the formats; any but float32 needs an engine that executes formats"),
      bind("precision.formats", ADAPT_MEMBER(precision.formats), NameDomain<FormatScope>{},
           "per_layer: the policy's format for all tensors of a layer; per_tensor: its word length, and each "
           "tensor its own scale"),
      young(bind(
          "precision.scales", ADAPT_MEMBER(precision.scales), NameDomain<ScaleChoice>{},
          "formats: per_tensor; maximum: a tensor's largest number fits, least_error: least squared error, "
          "rounded and clipped")),
      bind("precision.backward", ADAPT_MEMBER(precision.backward), NameDomain<Backward>{},
           "gradients of activations"),
      bind("precision.quantize.inputs", ADAPT_MEMBER(precision.quantize.inputs), BooleanDomain{},
           "activations entering a layer"),
      bind("precision.quantize.outputs", ADAPT_MEMBER(precision.quantize.outputs), BooleanDomain{},
           "activations leaving a layer, before batch norm and activation function; what goes to residual "
           "sums"),
      young(bind("precision.quantize.unnormalized", ADAPT_MEMBER(precision.quantize.unnormalized),
                 BooleanDomain{}, "quantize.outputs: also of layers without a batch norm behind them")),
      bind("precision.quantize.gradients", ADAPT_MEMBER(precision.quantize.gradients), BooleanDomain{},
           "parameter gradients"),
      bind("precision.fixed.word_length", ADAPT_MEMBER(precision.fixed.word_length), kWordLength,
           "bits of every layer, sign included"),
      bind("precision.fixed.fractional_length", ADAPT_MEMBER(precision.fixed.fractional_length),
           kFractionalLength, "of them behind the binary point"),
  };
}

std::vector<Setting> adapt_settings() {
  const IntegerDomain steps{1, kMostLookback};
  const IntegerDomain bins{kFewestBins, kMostBins};
  return {
      bind("precision.adapt.word_length", ADAPT_MEMBER(precision.adapt.word_length), kWordLength,
           "initial word length, bits"),
      bind("precision.adapt.fractional_length", ADAPT_MEMBER(precision.adapt.fractional_length),
           kFractionalLength, "initial fractional length, bits"),
      bind("precision.adapt.lookback_lower", ADAPT_MEMBER(precision.adapt.lookback_lower), steps,
           "fewest steps between two switches of a layer"),
      bind("precision.adapt.lookback_upper", ADAPT_MEMBER(precision.adapt.lookback_upper), steps,
           "most steps between two switches of a layer"),
      bind("precision.adapt.resolution_lower", ADAPT_MEMBER(precision.adapt.resolution_lower), bins,
           "fewest histogram bins of PushDown"),
      bind("precision.adapt.resolution_upper", ADAPT_MEMBER(precision.adapt.resolution_upper), bins,
           "most histogram bins of PushDown"),
      bind("precision.adapt.lookback_momentum", ADAPT_MEMBER(precision.adapt.lookback_momentum),
           NumberDomain{0, 1}, "gamma: weight of the new lookback against the old one"),
      bind("precision.adapt.buffer_bits", ADAPT_MEMBER(precision.adapt.buffer_bits),
           IntegerDomain{0, kMostBufferBits}, "b: integer bits kept free"),
      bind("precision.adapt.epsilon", ADAPT_MEMBER(precision.adapt.epsilon),
           NumberDomain{0, kLargestEpsilon, Ends::open_low}, "bound on the KL divergence of PushDown"),
      bind("precision.adapt.smoothing", ADAPT_MEMBER(precision.adapt.smoothing),
           NumberDomain{0, 1, Ends::open}, "pseudo-count of a histogram bin, as a share of all counts"),
      bind("precision.adapt.growth", ADAPT_MEMBER(precision.adapt.growth), NameDomain<Growth>{},
           "PushUp adds to FL, and WL covers it (published), or to WL (for formats: per_tensor)"),
      bind("precision.adapt.strategy", ADAPT_MEMBER(precision.adapt.strategy),
           OpenNameDomain<Strategy>{"adaptive"}, "size of the steps up; adaptive: by the loss"),
      bind("precision.adapt.tiers", ADAPT_MEMBER(precision.adapt.tiers), kWordLengths,
           "word lengths are rounded up to the next of these; []: any"),
      young(bind(
          "precision.adapt.watch", ADAPT_MEMBER(precision.adapt.watch), NameDomain<Watched>{},
          "PushDown of the weights (published), or of weights and activations, and the longer word counts")),
  };
}

std::vector<Setting> muppet_settings() {
  const NumberDomain number{0, kLargestMuppetNumber};
  return {
      bind("precision.muppet.levels", ADAPT_MEMBER(precision.muppet.levels), kWordLengths,
           "word lengths, one after the other; float32 comes last"),
      bind("precision.muppet.resolution", ADAPT_MEMBER(precision.muppet.resolution),
           IntegerDomain{kFewestDiversityEpochs, kMostDiversityEpochs},
           "r: epochs whose gradients make one diversity"),
      bind("precision.muppet.window", ADAPT_MEMBER(precision.muppet.window), NameDomain<DiversityWindow>{},
           "block: a diversity every resolution epochs; sliding: every epoch, over the last ones"),
      bind("precision.muppet.threshold", ADAPT_MEMBER(precision.muppet.threshold), number,
           "alpha: a violation is M / diversity > alpha + beta exp(-lambda epoch)"),
      bind("precision.muppet.slack", ADAPT_MEMBER(precision.muppet.slack), number, "beta"),
      bind("precision.muppet.decay", ADAPT_MEMBER(precision.muppet.decay), number, "lambda, per epoch"),
      bind("precision.muppet.violations", ADAPT_MEMBER(precision.muppet.violations),
           IntegerDomain{1, kMostViolations}, "violations that lead to the next level"),
  };
}

std::vector<Setting> record_settings() {
  return {
      bind("record.layer_interval", ADAPT_MEMBER(record.layer_interval), IntegerDomain{1, kMany},
           "steps between rows of the per-layer series", false),
      bind("record.flush_seconds", ADAPT_MEMBER(record.flush_seconds), NumberDomain{0, 86400},
           "at most so long until what was computed is on disk", false),
  };
}

std::vector<Setting> checkpoint_settings() {
  return {
      bind("checkpoint.interval_epochs", ADAPT_MEMBER(checkpoint.interval_epochs), IntegerDomain{0, 100000},
           "epochs between checkpoints; 0: not by epochs", false),
      bind("checkpoint.interval_steps", ADAPT_MEMBER(checkpoint.interval_steps), IntegerDomain{0, kMany},
           "steps between checkpoints; 0: not by steps", false),
      bind("checkpoint.keep", ADAPT_MEMBER(checkpoint.keep), IntegerDomain{1, 1000},
           "the last so many checkpoints stay, and that of the best epoch", false),
      bind("mpi.timeout_s", ADAPT_MEMBER(mpi.timeout_s), NumberDomain{0, 1000000},
           "longest time without a sign of life of a rank, seconds, after which all are ended; 0: for ever",
           false),
  };
}

#undef ADAPT_MEMBER

std::vector<Setting> make_settings() {
  std::vector<Setting> table = general_settings();
  add(table, data_settings());
  add(table, training_settings());
  add(table, precision_settings());
  add(table, adapt_settings());
  add(table, muppet_settings());
  add(table, record_settings());
  add(table, checkpoint_settings());
  return table;
}

template <class Entry>
const Entry* find_entry(const std::vector<Entry>& table, const std::string& key) {
  const auto entry = std::find_if(table.begin(), table.end(), [&](const Entry& e) { return e.key == key; });
  return entry == table.end() ? nullptr : &*entry;
}

}  // namespace

bool identifies(const Setting& setting, const Configuration& configuration) {
  return (setting.identifies && setting.write(configuration) != setting.neutral) ||
         (setting.key == kDataPath && is_its_path(configuration.data.name));
}

std::string identifying_value(const Setting& setting, const Configuration& configuration) {
  if (setting.key != kDataPath) {
    return setting.write(configuration);
  }
  Configuration whole = configuration;  // the same file, from whichever folder it is named
  const auto path = std::filesystem::absolute(data_folder(configuration.data.path).path).lexically_normal();
  whole.data.path = path.has_filename() ? path : path.parent_path();  // "a/" is "a"
  return setting.write(whole);
}

bool is_written(const Setting& setting, const Configuration& configuration) {
  return !setting.is_optional || setting.write(configuration) != setting.neutral;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kTable = make_settings();
  return kTable;
}

const std::vector<Section>& sections() {
  static const std::vector<Section> kTable = {
      {"model", "which network", "model.name"},
      {"engine", "how layers are executed", "engine.name"},
      {"exchange", "how gradients cross shards and ranks", "exchange.encoding"},
      {"data", "what is trained on", "data.name"},
      {"training", "the recipe", ""},
      {"training.schedule", "how the learning rate moves", "training.schedule.name"},
      {"precision", "who decides the formats", "precision.policy"},
      {"precision.quantize", "which tensors a layer's format applies to besides the weights", ""},
      {"precision.fixed", "policy fixed: one format for all layers", ""},
      {"precision.adapt", "policy adapt: hyper-parameters of AdaPT (arXiv 2107.13490)", ""},
      {"precision.muppet",
       "policy muppet: hyper-parameters of MuPPET (ICML 2020); needs formats: per_tensor, "
       "backward: quantized",
       ""},
      {"record", "what goes to the run's log and how often", ""},
      {"checkpoint", "when a state to resume from is written; on SIGTERM and SIGUSR1 in any case", ""},
      {"mpi", "how ranks deal with each other", ""},
  };
  return kTable;
}

const Setting* find_setting(const std::string& key) { return find_entry(settings(), key); }

const Section* find_section(const std::string& key) { return find_entry(sections(), key); }

std::vector<std::string> keys_in(const std::string& section) {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> keys;
  for (const Setting& setting : settings()) {
    if (!setting.key.starts_with(prefix) || setting.is_optional) {
      continue;
    }
    const std::string key =
        setting.key.substr(prefix.size(), setting.key.find('.', prefix.size()) - prefix.size());
    if (keys.empty() || keys.back() != key) {
      keys.push_back(key);
    }
  }
  for (const char* const path : {kModelFile, kModelWeights}) {
    if (std::string_view(path).starts_with(prefix) && !prefix.empty()) {
      keys.emplace_back(path + prefix.size());
    }
  }
  return keys;
}

}  // namespace adapt
