#include "record/run_contents.hpp"

#include <cstddef>
#include <optional>
#include <type_traits>

#include "base/error.hpp"
#include "base/state_bytes.hpp"
#include "numerics/quantize.hpp"
#include "record/tensor_check.hpp"

namespace adapt {
namespace {

using Format = std::optional<FixedFormat>;

/// Whether any bytes are a T. The bytes of a truth value are not.
template <class T>
constexpr bool is_plain = std::is_trivially_copyable_v<T>;
template <>
constexpr bool is_plain<Format> = false;
template <>
constexpr bool is_plain<LayerRecord> = false;

template <class T>
constexpr bool is_text = std::is_same_v<std::remove_const_t<T>, std::string>;

void require(bool sound) {
  if (!sound) {
    throw BadInput("contents of a run: a value that no run has");
  }
}

/// What nothing in the bytes of one value alone shows.
void check(const RunContents& contents) {
  require(contents.done <= Done::foreign);
  for (const SwitchEvent& event : contents.switches) {
    require(event.layer >= 0 && static_cast<std::size_t>(event.layer) < contents.layers.size());
  }
  for (const auto* tensors : {&contents.model, &contents.best_model.tensors}) {
    for (const ModelTensor& tensor : *tensors) {
      require(flaw_of(tensor).empty());
    }
  }
}

/// One description of each struct serves both ways: `archive(a, b, ...)` writes its arguments, or reads them.
template <class Archive>
void describe(Archive& archive, LoggedLayer& layer) {
  archive(layer.name, layer.madds, layer.parameters);
}

template <class Archive>
void describe(Archive& archive, StepRecord& row) {
  archive(row.step, row.loss, row.cross_entropy, row.learning_rate, row.seconds, row.exposed_seconds,
          row.bytes_sent, row.messages_sent, row.strategy, row.integer_share);
}

template <class Archive>
void describe(Archive& archive, LayerRecord& row) {
  archive(row.step);
  for (const auto tensor : kTensors<Format>) {
    archive(row.formats.*tensor);
  }
  archive(row.state, row.density, row.dead_channels);
  for (const auto tensor : kTensors<RoundingLoss>) {
    archive(row.losses.*tensor);
  }
}

template <class Archive>
void describe(Archive& archive, SwitchEvent& event) {
  archive(event.step, event.layer, event.before, event.after, event.minimal, event.lookback, event.resolution,
          event.diversity, event.divergence, event.strategy);
}

template <class Archive>
void describe(Archive& archive, ModelTensor& tensor) {
  archive(tensor.name, tensor.dims, tensor.format, tensor.integers, tensor.numbers, tensor.inputs,
          tensor.outputs, tensor.operands);
}

template <class Archive>
void describe(Archive& archive, BestModel& model) {
  archive(model.epoch, model.tensors);
}

template <class Archive>
void describe(Archive& archive, RunContents& contents) {
  archive(contents.done, contents.stripped, contents.configuration, contents.graph, contents.provenance,
          contents.summary, contents.epochs, contents.layers, contents.steps, contents.switches,
          contents.layer_rows, contents.model, contents.best_model);
}

class Writing {
 public:
  template <class... Ts>
  void operator()(Ts&... values) {
    (put(values), ...);
  }
  std::vector<std::byte> take() { return writer_.take(); }

 private:
  template <class T>
  void put(std::vector<T>& values) {
    if constexpr (is_plain<T>) {
      writer_.put_all(std::span<const T>(values));
    } else {
      writer_.put(values.size());
      for (T& value : values) {
        put(value);
      }
    }
  }
  template <class T>
  void put(std::map<std::string, T>& values) {
    writer_.put(values.size());
    for (auto& [name, value] : values) {
      put(name);
      put(value);
    }
  }
  void put(bool& value) { writer_.put(std::uint8_t{value}); }
  void put(Format& format) {
    bool present = format.has_value();
    put(present);
    if (format) {
      writer_.put(*format);
    }
  }
  template <class T>
  void put(T& value) {
    if constexpr (is_text<T>) {
      writer_.put_text(value);
    } else if constexpr (is_plain<T>) {
      writer_.put(value);
    } else {
      describe(*this, value);
    }
  }

  StateWriter writer_;
};

class Reading {
 public:
  explicit Reading(std::span<const std::byte> bytes) : reader_(bytes), most_(bytes.size()) {}

  template <class... Ts>
  void operator()(Ts&... values) {
    (get(values), ...);
  }
  void finish() const { reader_.finish(); }

 private:
  template <class T>
  void get(std::vector<T>& values) {
    if constexpr (is_plain<T>) {
      values = reader_.get_all<T>(0, most_);
    } else {
      for (auto left = reader_.get<std::size_t>(); left > 0; --left) {
        get(values.emplace_back());
      }
    }
  }
  template <class T>
  void get(std::map<std::string, T>& values) {
    for (auto left = reader_.get<std::size_t>(); left > 0; --left) {
      std::string name;
      get(name);
      get(values[name]);
    }
  }
  void get(bool& value) {
    const auto byte = reader_.get<std::uint8_t>();
    require(byte <= 1);
    value = byte == 1;
  }
  void get(Format& format) {
    bool present = false;
    get(present);
    if (present) {
      format = reader_.get<FixedFormat>();
      require(is_accepted(format->word_length, format->fractional_length));
    }
  }
  template <class T>
  void get(T& value) {
    if constexpr (is_text<T>) {
      value = reader_.get_text(most_);
    } else if constexpr (is_plain<T>) {
      value = reader_.get<T>();
    } else {
      describe(*this, value);
    }
  }

  StateReader reader_;
  std::size_t most_;
};

}  // namespace

std::vector<std::byte> encode(RunContents contents) {
  Writing writing;
  writing(contents);
  return writing.take();
}

RunContents decode_run_contents(std::span<const std::byte> bytes) {
  Reading reading(bytes);
  RunContents contents;
  reading(contents);
  reading.finish();
  check(contents);
  return contents;
}

}  // namespace adapt
