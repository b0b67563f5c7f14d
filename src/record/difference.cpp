#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "record/run_file.hpp"

namespace adapt {
namespace {

/// "2.3025 (0x40026b851eb851ec)": enough digits to tell neighbours apart, and the bits.
template <class Float, class Bits>
std::string with_bits(Float value, Bits bits) {
  std::ostringstream out;
  out.precision(std::numeric_limits<Float>::max_digits10);
  out << value << " (0x" << std::hex << bits << ")";
  return out.str();
}

std::string show(double value) { return with_bits(value, std::bit_cast<std::uint64_t>(value)); }
std::string show(float value) { return with_bits(value, std::bit_cast<std::uint32_t>(value)); }
std::string show(std::int32_t value) { return concat(value); }
std::string show(std::int64_t value) { return concat(value); }
std::string show(const std::string& value) { return concat("'", value, "'"); }
std::string show(const std::optional<FixedFormat>& format) { return format ? concat(*format) : "float32"; }
std::string show(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t length : dims) {
    text += concat(text.empty() ? "" : ", ", length);
  }
  return concat("(", text, ")");
}

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

/// Compares two rows field by field and keeps the first difference.
class Comparison {
 public:
  template <class T>
  Comparison& field(const char* name, const T& a, const T& b) {
    if (equal() && !same(a, b)) {
      field_ = name;
      values_ = concat(show(a), " against ", show(b));
    }
    return *this;
  }
  [[nodiscard]] bool equal() const { return field_.empty(); }
  [[nodiscard]] std::string sentence(const std::string& table, const std::string& where) const {
    return concat(table, "/", field_, " differs at ", where, ": ", values_);
  }

 private:
  std::string field_;
  std::string values_;
};

Comparison compare(const StepRecord& a, const StepRecord& b) {
  return Comparison()
      .field("step", a.step, b.step)
      .field("loss", a.loss, b.loss)
      .field("cross_entropy", a.cross_entropy, b.cross_entropy)
      .field("learning_rate", a.learning_rate, b.learning_rate)
      .field("strategy", a.strategy, b.strategy);
}

Comparison compare(const EpochRecord& a, const EpochRecord& b) {
  return Comparison()
      .field("epoch", a.epoch, b.epoch)
      .field("train_loss", a.train_loss, b.train_loss)
      .field("train_accuracy", a.train_accuracy, b.train_accuracy)
      .field("test_loss", a.test_loss, b.test_loss)
      .field("test_accuracy", a.test_accuracy, b.test_accuracy);
}

Comparison compare(const LayerRecord& a, const LayerRecord& b) {
  return Comparison()
      .field("step", a.step, b.step)
      .field("format", a.formats.weights, b.formats.weights)
      .field("inputs_format", a.formats.inputs, b.formats.inputs)
      .field("outputs_format", a.formats.outputs, b.formats.outputs)
      .field("gradients_format", a.formats.gradients, b.formats.gradients)
      .field("operands_format", a.formats.operands, b.formats.operands)
      .field("activation_gradients_format", a.formats.activation_gradients, b.formats.activation_gradients)
      .field("lookback", a.state.lookback, b.state.lookback)
      .field("resolution", a.state.resolution, b.state.resolution)
      .field("diversity", a.state.diversity, b.state.diversity)
      .field("divergence", a.state.divergence, b.state.divergence)
      .field("density", a.density, b.density);
}

Comparison compare(const SwitchEvent& a, const SwitchEvent& b) {
  return Comparison()
      .field("step", a.step, b.step)
      .field("layer", a.layer, b.layer)
      .field("before", a.before, b.before)
      .field("after", a.after, b.after)
      .field("minimal", a.minimal, b.minimal)
      .field("lookback", a.lookback, b.lookback)
      .field("resolution", a.resolution, b.resolution)
      .field("diversity", a.diversity, b.diversity)
      .field("divergence", a.divergence, b.divergence)
      .field("strategy", a.strategy, b.strategy);
}

Comparison compare(const LoggedLayer& a, const LoggedLayer& b) {
  return Comparison()
      .field("name", a.name, b.name)
      .field("madds", a.madds, b.madds)
      .field("parameters", a.parameters, b.parameters);
}

/// A difference at a step of the run.
struct Difference {
  std::int64_t step = 0;
  std::string text;
};

/// The tables that have a step, in both runs: keeps the earliest difference, and apart from it the first
/// table with another number of rows.
class SteppedTables {
 public:
  template <class Row>
  void add(const std::string& table, const std::string& rows, const std::vector<Row>& a,
           const std::vector<Row>& b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      const Comparison comparison = compare(a[i], b[i]);
      if (!comparison.equal()) {
        const std::int64_t step = std::min(a[i].step, b[i].step);
        keep({step, comparison.sentence(table, concat("step ", step))});
        return;
      }
    }
    if (a.size() != b.size() && counts_.empty()) {
      counts_ = concat("run B has ", b.size(), " ", rows, ", run A ", a.size());
    }
  }
  /// Empty when there is none.
  [[nodiscard]] std::string first() const { return earliest_ ? earliest_->text : counts_; }

 private:
  void keep(Difference difference) {
    if (!earliest_ || difference.step < earliest_->step) {
      earliest_ = std::move(difference);
    }
  }

  std::optional<Difference> earliest_;
  std::string counts_;
};

/// Rows without a step: the first that differs, else the numbers of rows.
template <class Row, class Where>
std::string compare_rows(const std::string& table, const std::string& rows, const std::vector<Row>& a,
                         const std::vector<Row>& b, Where where) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const Comparison comparison = compare(a[i], b[i]);
    if (!comparison.equal()) {
      return comparison.sentence(table, where(a[i]));
    }
  }
  return a.size() == b.size() ? "" : concat("run B has ", b.size(), " ", rows, ", run A ", a.size());
}

template <class T>
std::string compare_elements(const std::string& name, const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!same(a[i], b[i])) {
      return concat("model/", name, " differs at element ", i, ": ", show(a[i]), " against ", show(b[i]));
    }
  }
  return "";
}

std::string compare_tensors(const ModelTensor& a, const ModelTensor& b) {
  const Comparison comparison = Comparison()
                                    .field("name", a.name, b.name)
                                    .field("format", a.format, b.format)
                                    .field("shape", a.dims, b.dims);
  if (!comparison.equal()) {
    return comparison.sentence("model", concat("tensor '", a.name, "'"));
  }
  std::string integers = compare_elements(a.name, a.integers, b.integers);
  return integers.empty() ? compare_elements(a.name, a.numbers, b.numbers) : integers;
}

std::string compare_models(const std::vector<ModelTensor>& a, const std::vector<ModelTensor>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    std::string text = compare_tensors(a[i], b[i]);
    if (!text.empty()) {
      return text;
    }
  }
  return a.size() == b.size()
             ? ""
             : concat("run B has ", b.size(), " tensors in its final model, run A ", a.size());
}

}  // namespace

std::string first_difference(const RunFile& a, const RunFile& b) {
  const std::vector<LoggedLayer> layers = a.layers();
  std::string text = compare_rows("layers", "layers", layers, b.layers(), [](const LoggedLayer& layer) {
    return concat("layer '", layer.name, "'");
  });
  if (!text.empty()) {
    return text;
  }
  SteppedTables tables;
  tables.add("steps", "steps", a.steps(), b.steps());
  for (const LoggedLayer& layer : layers) {
    tables.add(concat("layers/", layer.name), concat("rows of layer '", layer.name, "'"),
               a.layer_rows(layer.name), b.layer_rows(layer.name));
  }
  tables.add("switches", "precision switches", a.switches(), b.switches());
  text = tables.first();
  if (text.empty()) {
    text = compare_rows("epochs", "epochs", a.epochs(), b.epochs(),
                        [](const EpochRecord& row) { return concat("epoch ", row.epoch); });
  }
  return text.empty() ? compare_models(a.model(), b.model()) : text;
}

}  // namespace adapt
