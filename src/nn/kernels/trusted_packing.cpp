#include "nn/kernels/trusted_packing.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.hpp"
#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "nn/kernels/bfloat16.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

using dnnl::memory;
using Numbers = std::vector<std::int64_t>;

/// A layout in blocks: along each dimension an index falls into its place within the blocks of the dimension,
/// innermost block last, and what is left of it, which counts strides.
struct BlockedLayout {
  Numbers dims;
  Numbers strides;
  Numbers blocks;            ///< their sizes, outermost first
  Numbers block_dimensions;  ///< of which dimension each is

  /// Where the element with these indices stands.
  [[nodiscard]] std::size_t place(Numbers index) const {
    std::int64_t place = 0;
    std::int64_t stride = 1;
    for (std::size_t i = blocks.size(); i-- > 0;) {
      std::int64_t& along = index[static_cast<std::size_t>(block_dimensions[i])];
      place += along % blocks[i] * stride;
      along /= blocks[i];
      stride *= blocks[i];
    }
    for (std::size_t d = 0; d < index.size(); ++d) {
      place += index[d] * strides[d];
    }
    return static_cast<std::size_t>(place);
  }

  /// Of all elements, row by row.
  [[nodiscard]] std::vector<std::uint32_t> places() const {
    std::vector<std::uint32_t> all;
    Numbers index(dims.size(), 0);
    bool ends = false;
    while (!ends) {
      all.push_back(static_cast<std::uint32_t>(place(index)));
      std::size_t d = dims.size();
      while (d > 0 && ++index[d - 1] == dims[d - 1]) {
        index[--d] = 0;
      }
      ends = d == 0;
    }
    return all;
  }
};

bool is_blocked(const memory::desc& description) {
#if DNNL_VERSION_MAJOR >= 3
  return description.get_format_kind() == memory::format_kind::blocked;
#else
  return description.data.format_kind == dnnl_blocked;
#endif
}

BlockedLayout layout_of(const memory::desc& description) {
#if DNNL_VERSION_MAJOR >= 3
  return {description.get_dims(), description.get_strides(), description.get_inner_blks(),
          description.get_inner_idxs()};
#else
  const auto& blocking = description.data.format_desc.blocking;
  const auto first = [](const dnnl_dim_t* numbers, int count) { return Numbers(numbers, numbers + count); };
  return {description.dims(), first(blocking.strides, description.data.ndims),
          first(blocking.inner_blks, blocking.inner_nblks), first(blocking.inner_idxs, blocking.inner_nblks)};
#endif
}

void store(float number, float* to) { *to = number; }
void store(float number, std::uint16_t* to) {
  constexpr std::uint16_t kNaN = 0x7FC0;
  *to = std::isnan(number) ? kNaN : to_bfloat16(number);
}

template <class Number>
void scatter(const float* plain, const std::vector<std::uint32_t>& places, Number* packed,
             std::size_t bytes) {
  std::memset(packed, 0, bytes);  // what pads
  for (std::size_t i = 0; i < places.size(); ++i) {
    store(plain[i], packed + places[i]);
  }
}

void scatter(const float* plain, const std::vector<std::uint32_t>& places, const memory::desc& layout,
             void* packed) {
  if (onednn::type_of(layout) == memory::data_type::bf16) {
    scatter(plain, places, static_cast<std::uint16_t*>(packed), layout.get_size());
  } else {
    scatter(plain, places, static_cast<float*>(packed), layout.get_size());
  }
}

/// Whether the library packs as `places` say.
bool is_right_here(const memory::desc& layout, const std::vector<std::uint32_t>& places) {
  AlignedVector<float> plain(places.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    plain[i] = static_cast<float>(i % 255) - 127;  // a bfloat16, too
  }
  AlignedVector<std::uint8_t> wanted(layout.get_size());
  scatter(plain.data(), places, layout, wanted.data());
  constexpr std::uint8_t kOther = 0x5A;
  AlignedVector<std::uint8_t> found(layout.get_size(), kOther);
  const memory from(onednn::plain(onednn::dims_of(layout)), onednn::engine(), plain.data());
  onednn::reorder(from, memory(layout, onednn::engine(), found.data()));
  return found == wanted && !fault::falsifies("trusted_packing");
}

std::string text_of(const Numbers& dims) {
  std::string text;
  for (const std::int64_t size : dims) {
    text += concat(text.empty() ? "" : "x", size);
  }
  return text;
}

/// Where the library is wrong, where the elements stand; nothing where it is right.
const std::vector<std::uint32_t>& own_places(const memory::desc& description) {
  static std::map<std::pair<int, std::vector<Numbers>>, std::vector<std::uint32_t>> answers;
  static bool warned = false;
  static std::mutex mutex;
  const BlockedLayout layout = layout_of(description);
  const std::lock_guard lock(mutex);
  const auto [answer, is_new] =
      answers.try_emplace({static_cast<int>(onednn::type_of(description)),
                           {layout.dims, layout.strides, layout.blocks, layout.block_dimensions}});
  if (is_new) {
    std::vector<std::uint32_t> places = layout.places();
    if (!is_right_here(description, places)) {
      if (!warned) {
        log_warning(concat("oneDNN ", onednn::version(), " (", onednn::instruction_set(),
                           ") packs weights of ", text_of(layout.dims),
                           " wrongly, and perhaps others; where it does, adapt packs them"));
        warned = true;
      }
      answer->second = std::move(places);
    }
  }
  return answer->second;
}

}  // namespace

void pack(const memory& plain, const memory& packed) {
  const memory::desc layout = packed.get_desc();
  if (!is_blocked(layout)) {
    onednn::reorder(plain, packed);
    return;
  }
  const std::vector<std::uint32_t>& places = own_places(layout);
  if (places.empty()) {
    onednn::reorder(plain, packed);
  } else {
    scatter(static_cast<const float*>(plain.get_data_handle()), places, layout, packed.get_data_handle());
  }
}

}  // namespace adapt
