#pragma once

#include <cstddef>
#include <vector>

namespace adapt {

/// Where each tensor lies: tensors that are ready one after the other share a bucket, which is exchanged as
/// soon as the last of them is ready. Small layers so take few messages, and large ones need not wait.
class BucketLayout {
 public:
  /// A bucket takes no more tensors once it has so many elements: enough that sending takes longer than
  /// starting to send (at 4 bytes and 10 Gbit/s 105 us), few enough that a network has several.
  static constexpr std::size_t kElements = 32768;

  struct Place {
    std::size_t bucket = 0;
    std::size_t offset = 0;
  };
  struct Bucket {
    int kind = 0;
    std::size_t size = 0;              ///< elements
    std::vector<std::size_t> tensors;  ///< in the order in which backward makes them
  };

  BucketLayout() = default;
  /// `sizes` of the tensors in the order of the model, elements; backward makes them from the last to the
  /// first. Only tensors of one kind share a bucket.
  BucketLayout(const std::vector<std::size_t>& sizes, const std::vector<int>& kinds);

  [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; }
  [[nodiscard]] const Place& place(std::size_t tensor) const { return places_[tensor]; }

 private:
  std::vector<Bucket> buckets_;
  std::vector<Place> places_;  // by tensor
};

}  // namespace adapt
