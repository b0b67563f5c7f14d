#include "base/aligned.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace adapt {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kLargePage = std::size_t{1} << 21U;

std::align_val_t alignment_of(std::size_t bytes) {
  return std::align_val_t{bytes >= kLargePage ? kLargePage : kLine};
}

}  // namespace

void use_large_pages(void* block, std::size_t bytes) {
  auto* const begin = static_cast<std::byte*>(block);
  const auto place = reinterpret_cast<std::uintptr_t>(block);
  const std::size_t skipped = (kLargePage - place % kLargePage) % kLargePage;
  if (bytes >= skipped + kLargePage) {
    ::madvise(begin + skipped, (bytes - skipped) / kLargePage * kLargePage, MADV_HUGEPAGE);
  }
}

void* allocate_aligned(std::size_t bytes) {
  void* const block = ::operator new(bytes, alignment_of(bytes));
  use_large_pages(block, bytes);
  return block;
}

void deallocate_aligned(void* block, std::size_t bytes) { ::operator delete(block, alignment_of(bytes)); }

}  // namespace adapt
