#include "exchange/bucket_layout.hpp"

#include <map>

namespace adapt {

BucketLayout::BucketLayout(const std::vector<std::size_t>& sizes, const std::vector<int>& kinds)
    : places_(sizes.size()) {
  std::map<int, std::size_t> open;  // bucket that takes the next tensor of a kind
  for (std::size_t tensor = sizes.size(); tensor-- > 0;) {
    const auto found = open.find(kinds[tensor]);
    const std::size_t index = found == open.end() ? buckets_.size() : found->second;
    if (found == open.end()) {
      buckets_.push_back({.kind = kinds[tensor], .size = 0, .tensors = {}});
      open[kinds[tensor]] = index;
    }
    Bucket& bucket = buckets_[index];
    places_[tensor] = {index, bucket.size};
    bucket.size += sizes[tensor];
    bucket.tensors.push_back(tensor);
    if (bucket.size >= kElements) {
      open.erase(kinds[tensor]);
    }
  }
}

}  // namespace adapt
