#include "numerics/epilogue.hpp"

#include "base/error.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {

void finish_sums(std::span<const std::int32_t> sums, const SumEpilogue& epilogue, Storage residual_type,
                 const void* residual, Storage type, void* dst) {
  if (type == Storage::none || epilogue.period == 0) {
    throw Failure("sums of a product have a place to go to, and a period");
  }
  vector::kernels().finish_sums(sums.data(), sums.size(), epilogue, residual_type, residual, type, dst);
}

}  // namespace adapt
