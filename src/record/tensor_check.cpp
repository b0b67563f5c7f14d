#include "record/tensor_check.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

std::string flaw_of(const std::optional<FixedFormat>& format) {
  const bool sound = !format || is_accepted(format->word_length, format->fractional_length);
  return sound ? ""
               : concat("has format ", *format, ", expected a word length of 1..", kMaxWordLength,
                        " and a fractional length of ", kMinFractionalLength, "..", kMaxFractionalLength);
}

/// Whether the shape has `count` elements.
bool has_elements(const std::vector<std::int64_t>& dims, std::size_t count) {
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) {
    return count == 0;
  }
  std::size_t left = count;  // divided by each dimension, which no claim makes overflow
  for (const std::int64_t length : dims) {
    if (length < 0 || left % static_cast<std::size_t>(length) != 0) {
      return false;
    }
    left /= static_cast<std::size_t>(length);
  }
  return left == 1;
}

}  // namespace

std::string flaw_of(const ModelTensor& tensor) {
  for (const auto& format : {tensor.format, tensor.inputs, tensor.outputs, tensor.operands}) {
    if (std::string flaw = flaw_of(format); !flaw.empty()) {
      return flaw;
    }
  }
  const std::size_t count = tensor.format ? tensor.integers.size() : tensor.numbers.size();
  if (count != tensor.integers.size() + tensor.numbers.size() || !has_elements(tensor.dims, count)) {
    return concat("has ", tensor.integers.size() + tensor.numbers.size(),
                  " elements, expected as many as its shape says");
  }
  for (const std::int32_t q : tensor.integers) {
    if (q < tensor.format->lowest() || q > tensor.format->highest()) {
      return concat("holds ", q, ", which its format ", *tensor.format, " does not, expected ",
                    tensor.format->lowest(), "..", tensor.format->highest());
    }
  }
  return "";
}

}  // namespace adapt
