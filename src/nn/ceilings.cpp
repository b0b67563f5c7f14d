#include "nn/ceilings.hpp"

#include <algorithm>

#include "nn/inference/steps.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

/// Memory filled with zeros: the time of a product does not depend on what is multiplied.
dnnl::memory cleared(const dnnl::memory::desc& description) {
  dnnl::memory memory(description, onednn::engine());
  std::fill_n(static_cast<std::uint8_t*>(memory.get_data_handle()), description.get_size(), std::uint8_t{0});
  return memory;
}

}  // namespace

struct PeakProduct::Implementation {
  Implementation(NumberType type, int extent) : size(extent), call(make(type, extent)) {}

  static onednn::PreparedCall make(NumberType type, int size) {
    const dnnl::memory::dims dims = {size, size};
    const auto source = onednn_type_of(type);
    const auto weights = is_byte(type) ? dnnl::memory::data_type::s8 : source;
    onednn::Epilogue epilogue;
    epilogue.addends.resize(static_cast<std::size_t>(size));
    const onednn::ProductShapes shapes = {
        onednn::plain(dims, source), onednn::any_layout(dims, weights), {}, onednn::plain(dims)};
    const auto description = onednn::linear_inference(shapes, epilogue);
    auto arguments = onednn::epilogue_arguments(epilogue);
    arguments.emplace_back(DNNL_ARG_SRC, cleared(shapes.source));
    arguments.emplace_back(DNNL_ARG_WEIGHTS, cleared(description.weights_desc()));
    arguments.emplace_back(DNNL_ARG_DST, cleared(shapes.destination));
    return {dnnl::primitive(description.get()), arguments};
  }

  int size;
  onednn::PreparedCall call;
};

PeakProduct::PeakProduct(NumberType type, int size)
    : implementation_(std::make_unique<Implementation>(type, size)) {}
PeakProduct::~PeakProduct() = default;
PeakProduct::PeakProduct(PeakProduct&&) noexcept = default;

void PeakProduct::run() {
  implementation_->call.run();
  onednn::stream().wait();
}

double PeakProduct::operations() const {
  const double size = implementation_->size;
  return 2 * size * size * size;
}

}  // namespace adapt
