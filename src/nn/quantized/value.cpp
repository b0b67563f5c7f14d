#include "nn/quantized/value.hpp"

#include <algorithm>
#include <vector>

#include "base/aligned.hpp"

namespace adapt {
namespace {

/// A tile of floats and one of bytes, and what is computed on the way, fit the first cache.
constexpr std::size_t kTileElements = 4096;

}  // namespace

Value::Value(const Shape& shape, const dnnl::memory& memory, Buffer* buffer, std::shared_ptr<Content> content)
    : memory_(memory),
      buffer_(buffer),
      elements_(static_cast<std::size_t>(shape.elements())),
      channels_(static_cast<std::size_t>(shape.c)),
      period_(channel_period(channels_)),
      tile_(std::max<std::size_t>(1, kTileElements / period_) * period_),
      content_(std::move(content)) {}

std::span<float> Value::floats() const {
  if (buffer_ != nullptr) {
    buffer_->provide();
  }
  return {static_cast<float*>(memory_.get_data_handle()), elements_};
}

std::int32_t* Value::sums() const { return reinterpret_cast<std::int32_t*>(floats().data()); }

void Value::set_bytes(const std::int8_t* bytes, float step) {
  *content_ = {.form = Form::bytes, .bytes = bytes, .step = step};
}

void Value::set_sums(const std::int32_t* sums, float step) {
  *content_ = {.form = Form::sums, .sums = sums, .step = step};
}

Numbers Value::numbers(std::size_t first) const {
  switch (content_->form) {
    case Form::floats:
      return {.floats = floats().data() + first};
    case Form::bytes:
      return {.bytes = content_->bytes + first, .step = content_->step};
    case Form::sums:
      break;
  }
  return {.sums = content_->sums + first, .step = content_->step};
}

std::span<const float> Value::read(std::size_t first, std::span<float> tile) const {
  switch (content_->form) {
    case Form::floats:
      return floats().subspan(first, tile.size());
    case Form::bytes:
      from_bytes({content_->bytes + first, tile.size()}, tile, content_->step);
      return tile;
    case Form::sums:
      break;
  }
  from_sums({content_->sums + first, tile.size()}, tile, content_->step);
  return tile;
}

void Value::make_floats() {
  static_cast<void>(floats());
  set_floats();
}

void Value::materialize() {
  if (content_->form == Form::floats) {
    return;
  }
  AlignedVector<float> tile(tile_);
  each_tile([&](std::size_t first, std::size_t length) {
    const auto numbers = read(first, std::span(tile).first(length));
    std::copy(numbers.begin(), numbers.end(), floats().begin() + static_cast<std::ptrdiff_t>(first));
  });
  set_floats();
}

}  // namespace adapt
