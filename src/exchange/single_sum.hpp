#pragma once

#include "exchange/encoding.hpp"
#include "exchange/tensor_sums.hpp"

namespace adapt {

/// An encoding that keeps one sum of type T for each element in every step. What is left to do is add() and
/// mean().
template <class T>
class SingleSumEncoding : public GradientEncoding {
 public:
  SingleSumEncoding(const std::vector<ExchangeTensor>& tensors, int shards)
      : tensors_(tensors), shards_(shards) {}

  void begin(const ExchangeStep& step) override {
    step_ = step.step;
    sums_.clear();
    for (const ExchangeTensor& tensor : tensors_) {
      sums_.append(tensor.size);
    }
  }
  void reduce(const mpi::Communicator& ranks) override { sums_.reduce(ranks); }
  [[nodiscard]] std::int64_t bytes() const override { return sums_.bytes(); }

 protected:
  [[nodiscard]] int shards() const { return shards_; }
  [[nodiscard]] std::span<T> sum(std::size_t index) { return sums_[index]; }
  [[nodiscard]] std::span<const T> sum(std::size_t index) const { return sums_[index]; }
  /// Throws the Failure that add() promises.
  [[noreturn]] void refuse(std::size_t index, std::uint32_t shard) const {
    refuse_gradient(tensors_[index], step_, shard);
  }

 private:
  std::vector<ExchangeTensor> tensors_;
  int shards_;
  std::uint32_t step_ = 0;
  TensorSums<T> sums_;
};

}  // namespace adapt
