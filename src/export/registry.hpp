#pragma once

#include <array>
#include <string_view>

#include "base/names.hpp"

namespace adapt {

struct ExportNetwork;
struct ExportedFile;

/// A format of `adapt export --to`. To add one, write a file NAME.cpp that defines export_NAME, and add a
/// word to each of the three lists below.
enum class Exporter { onnx, qonnx, arrays, packed };

/// The whole file. Throws BadInput for a network that the format cannot express, naming the layer.
using Export = ExportedFile(const ExportNetwork& network);

Export export_onnx;
Export export_qonnx;
Export export_arrays;
Export export_packed;

struct ExporterEntry {
  std::string_view name;
  Exporter value;
  Export* make;
  std::string_view summary;  ///< for the help
};

template <>
inline constexpr auto kNames<Exporter> = std::array{
    ExporterEntry{"onnx", Exporter::onnx, export_onnx, "ONNX with QuantizeLinear pairs, for ONNX Runtime"},
    ExporterEntry{"qonnx", Exporter::qonnx, export_qonnx,
                  "ONNX with Quant nodes of any word length (FINN, hls4ml)"},
    ExporterEntry{"arrays", Exporter::arrays, export_arrays, "NumPy's .npz: integers, formats, the network"},
    ExporterEntry{"packed", Exporter::packed, export_packed, "each tensor at its word length, bit by bit"},
};

}  // namespace adapt
