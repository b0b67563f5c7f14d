#include "base/arena.hpp"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include "base/aligned.hpp"

namespace adapt {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kRegionBytes = std::size_t{64} << 20U;

std::size_t rounded_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

/// What a block of `bytes` takes of a region; never nothing, so that each block has a place of its own.
std::size_t footprint(std::size_t bytes) { return rounded_up(std::max<std::size_t>(bytes, 1), kAlignment); }

}  // namespace

void Arena::Block::reset() {
  if (arena_ != nullptr) {
    arena_->give_back(*this);
    arena_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }
}

Arena::~Arena() {
  for (const Region& region : regions_) {
    ASAN_UNPOISON_MEMORY_REGION(region.base, region.size);
    munmap(region.base, region.size);
  }
}

void Arena::add_region(std::size_t bytes) {
  const std::size_t size = std::max(kRegionBytes, rounded_up(bytes, static_cast<std::size_t>(getpagesize())));
  void* const base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    throw std::bad_alloc();
  }
  use_large_pages(base, size);
  ASAN_POISON_MEMORY_REGION(base, size);
  holes_[{regions_.size(), 0}] = size;
  regions_.push_back({static_cast<std::byte*>(base), size});
}

Arena::Block Arena::take(std::size_t bytes) {
  const std::size_t needed = footprint(bytes);
  const auto fits = [needed](const auto& hole) { return hole.second >= needed; };
  auto hole = std::ranges::find_if(holes_, fits);
  if (hole == holes_.end()) {
    add_region(needed);
    hole = std::prev(holes_.end());
  }
  const auto [place, size] = *hole;
  holes_.erase(hole);
  if (size > needed) {
    holes_[{place.first, place.second + needed}] = size - needed;
  }
  used_ += needed;
  most_used_ = std::max(most_used_, used_);
  Block block;
  block.arena_ = this;
  block.region_ = place.first;
  block.data_ = regions_[place.first].base + place.second;
  block.size_ = bytes;
  ASAN_UNPOISON_MEMORY_REGION(block.data_, bytes);
  return block;
}

void Arena::give_back(const Block& block) {
  const auto offset = static_cast<std::size_t>(block.data_ - regions_[block.region_].base);
  const std::size_t size = footprint(block.size_);
  ASAN_POISON_MEMORY_REGION(block.data_, size);
  used_ -= size;
  auto hole = holes_.emplace(Place{block.region_, offset}, size).first;
  const auto joins = [](const auto& first, const auto& second) {
    return first.first.first == second.first.first &&
           first.first.second + first.second == second.first.second;
  };
  const auto next = std::next(hole);
  if (next != holes_.end() && joins(*hole, *next)) {
    hole->second += next->second;
    holes_.erase(next);
  }
  if (hole != holes_.begin() && joins(*std::prev(hole), *hole)) {
    std::prev(hole)->second += hole->second;
    holes_.erase(hole);
  }
}

void Arena::trim() {
  const auto page = static_cast<std::size_t>(getpagesize());
  for (const auto& [place, size] : holes_) {
    const std::size_t first = rounded_up(place.second, page);
    const std::size_t last = (place.second + size) / page * page;
    if (first < last) {
      madvise(regions_[place.first].base + first, last - first, MADV_DONTNEED);
    }
  }
}

}  // namespace adapt
