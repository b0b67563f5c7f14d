// "exact": gradients as 64-bit fixed point. Integer sums do not depend on their order, so float32 training
// gives the same bits on any number of ranks.

#include "exchange/gradient_formats.hpp"
#include "exchange/integer_encoding.hpp"

namespace adapt {
namespace {

class NoFormats : public FormatSource {
 public:
  explicit NoFormats(std::size_t tensors) : tensors_(tensors) {}

  GradientFormats begin(const ExchangeStep& /*step*/) override { return GradientFormats(tensors_); }

 private:
  std::size_t tensors_;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_exact_encoding(const std::vector<ExchangeTensor>& tensors, int shards,
                                                      const EncodingOptions& options) {
  return std::make_unique<IntegerEncoding>(tensors, shards, std::make_unique<NoFormats>(tensors.size()),
                                           options);
}

}  // namespace adapt
