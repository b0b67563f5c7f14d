#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/names.hpp"

namespace adapt {

class GradientEncoding;
struct EncodingOptions;
struct ExchangeTensor;

/// What gradients become on the wire, by the name under `exchange.encoding`. To add an encoding, write a file
/// that defines make_NAME_encoding, and add a word to each of the three lists below.
enum class Encoding { exact, layer, int8, int16, float32 };

/// Makes an encoding for tensors cut into `shards` shards; options.error_feedback is false where the entry
/// says that it has none.
using MakeEncoding = std::unique_ptr<GradientEncoding>(const std::vector<ExchangeTensor>& tensors, int shards,
                                                       const EncodingOptions& options);

MakeEncoding make_exact_encoding;
MakeEncoding make_layer_encoding;
MakeEncoding make_int8_encoding;
MakeEncoding make_int16_encoding;
MakeEncoding make_float32_encoding;

struct EncodingEntry {
  std::string_view name;
  Encoding value;
  MakeEncoding* make;
  bool has_error_feedback;
  int usual_bits;  ///< of a number on the wire, for estimates
};

template <>
inline constexpr auto kNames<Encoding> = std::array{
    EncodingEntry{"exact", Encoding::exact, make_exact_encoding, false, 40},
    EncodingEntry{"layer", Encoding::layer, make_layer_encoding, false, 8},
    EncodingEntry{"int8", Encoding::int8, make_int8_encoding, true, 8},
    EncodingEntry{"int16", Encoding::int16, make_int16_encoding, true, 16},
    EncodingEntry{"float32", Encoding::float32, make_float32_encoding, false, 32},
};

}  // namespace adapt
