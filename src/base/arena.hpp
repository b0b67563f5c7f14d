#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace adapt {

/// Memory for large arrays that come and go, in about the same order again and again: those that are there at
/// a time lie close together, so that the process holds little more than their largest sum, and no call to
/// the system is made once that is reached. Not for several threads at once.
class Arena {
 public:
  /// An array, given back when it ends. The arena must outlive it.
  class Block {
   public:
    Block() = default;
    ~Block() { reset(); }
    Block(Block&& other) noexcept { swap(other); }
    Block& operator=(Block&& other) noexcept {
      reset();
      swap(other);
      return *this;
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    /// Null where there is none.
    [[nodiscard]] std::byte* data() const { return data_; }
    /// As asked for, in bytes.
    [[nodiscard]] std::size_t size() const { return size_; }
    explicit operator bool() const { return data_ != nullptr; }
    /// All of it as an array of `T`.
    template <class T>
    [[nodiscard]] std::span<T> as() const {
      return {reinterpret_cast<T*>(data_), size_ / sizeof(T)};
    }
    void reset();

   private:
    friend class Arena;
    void swap(Block& other) noexcept {
      std::swap(arena_, other.arena_);
      std::swap(region_, other.region_);
      std::swap(data_, other.data_);
      std::swap(size_, other.size_);
    }

    Arena* arena_ = nullptr;
    std::size_t region_ = 0;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
  };

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes` bytes with any content, on a 64-byte boundary, at the lowest place where they fit. Throws
  /// std::bad_alloc where the system has no more.
  [[nodiscard]] Block take(std::size_t bytes);

  /// Bytes of all blocks that are there, each rounded up to 64.
  [[nodiscard]] std::size_t used() const { return used_; }
  /// The largest that used() has been.
  [[nodiscard]] std::size_t most_used() const { return most_used_; }

  /// Gives the memory of what is free back to the system.
  void trim();

 private:
  /// Memory from the system; it is held only from the first use of a page on.
  struct Region {
    std::byte* base;
    std::size_t size;
  };
  using Place = std::pair<std::size_t, std::size_t>;  // region and offset

  void give_back(const Block& block);
  void add_region(std::size_t bytes);

  std::vector<Region> regions_;
  std::map<Place, std::size_t> holes_;  // their sizes
  std::size_t used_ = 0;
  std::size_t most_used_ = 0;
};

}  // namespace adapt
