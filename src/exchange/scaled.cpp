// "int8" and "int16": each shard's gradient is rounded stochastically to 8 or 16 bits times a power of two,
// and the integers are summed. The whole sum is rounded once more, by the rank that owns it, so that no more
// bits go back than came.
//
// The power of two follows from the running maximum of the steps before, tensor by tensor. A tensor without
// history (in the first step, or as long as it is all zero) goes as "exact" does.
//
// A tensor's largest gradient is far above most of the others, so 8 bits of one power of two would leave
// little of them. "int8" therefore has a finer grid for the tensor, and each block of 256 has 8 bits of it,
// from its own largest one down. As all blocks lie on the tensor's grid, sums stay sums of integers.

#include <optional>
#include <vector>

#include "base/state_bytes.hpp"
#include "exchange/gradient_formats.hpp"
#include "exchange/integer_encoding.hpp"
#include "numerics/running_maxima.hpp"
#include "numerics/scale.hpp"

namespace adapt {
namespace {

constexpr int kGridBits = 16;

class ScaledFormats : public FormatSource {
 public:
  ScaledFormats(std::size_t tensors, int bits) : bits_(bits), observed_(tensors), running_(tensors) {}

  GradientFormats begin(const ExchangeStep& /*step*/) override {
    GradientFormats formats;
    for (std::size_t tensor = 0; tensor < running_.size(); ++tensor) {
      observed_[tensor] = 0.0F;
      const RunningMaximum& running = running_[tensor];
      formats.push_back(
          running ? std::optional<FixedFormat>({kGridBits, fitting_fractional_length(kGridBits, *running)})
                  : std::nullopt);
    }
    return formats;
  }

  [[nodiscard]] std::optional<int> shard_bits() const override {
    return bits_ < kGridBits ? std::optional(bits_) : std::nullopt;
  }
  [[nodiscard]] std::optional<int> sum_bits() const override { return bits_; }
  [[nodiscard]] bool observes() const override { return true; }
  void observe(std::size_t tensor, float magnitude) override { raise(observed_[tensor], magnitude); }

  std::int64_t end(const mpi::Communicator& ranks) override {
    const std::int64_t bytes = allreduce_maxima(observed_, ranks);
    running_.update(observed_);
    return bytes;
  }

  [[nodiscard]] std::vector<std::byte> save_state() const override {
    StateWriter writer;
    running_.save_state(writer, 0, running_.size());
    return writer.take();
  }

  void restore_state(std::span<const std::byte> state) override {
    StateReader reader(state);
    running_.restore_state(reader, 0, running_.size());
    reader.finish();
  }

 private:
  int bits_;
  std::vector<std::optional<float>> observed_;  // in the running step
  RunningMaxima running_;
};

std::unique_ptr<GradientEncoding> make_scaled(const std::vector<ExchangeTensor>& tensors, int shards,
                                              int bits, const EncodingOptions& options) {
  return std::make_unique<IntegerEncoding>(tensors, shards,
                                           std::make_unique<ScaledFormats>(tensors.size(), bits), options);
}

}  // namespace

std::unique_ptr<GradientEncoding> make_int8_encoding(const std::vector<ExchangeTensor>& tensors, int shards,
                                                     const EncodingOptions& options) {
  return make_scaled(tensors, shards, 8, options);
}

std::unique_ptr<GradientEncoding> make_int16_encoding(const std::vector<ExchangeTensor>& tensors, int shards,
                                                      const EncodingOptions& options) {
  return make_scaled(tensors, shards, 16, options);
}

}  // namespace adapt
