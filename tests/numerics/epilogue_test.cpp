// From the sums of products to what is stored, on every instruction set, against loops element by element.

#include "numerics/epilogue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "numerics/instruction_sets.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

constexpr std::size_t kPeriod = 24;

std::size_t size_of(Storage type) { return type == Storage::float32 ? sizeof(float) : 1; }

float number_at(const std::vector<std::uint8_t>& bytes, Storage type, std::size_t i) {
  float number = 0;
  switch (type) {
    case Storage::none:
      break;
    case Storage::signed_byte:
      number = static_cast<std::int8_t>(bytes[i]);
      break;
    case Storage::unsigned_byte:
      number = bytes[i];
      break;
    case Storage::float32:
      std::memcpy(&number, bytes.data() + i * sizeof number, sizeof number);
      break;
  }
  return number;
}

/// As a number of the type is stored.
float stored(float number, Storage type) {
  switch (type) {
    case Storage::signed_byte:  // zero has no sign there, and NaN is the greatest
      return std::isnan(number) ? 127.0F : std::clamp(std::nearbyint(number), -128.0F, 127.0F) + 0.0F;
    case Storage::unsigned_byte:
      return std::isnan(number) ? 255.0F : std::clamp(std::nearbyint(number), 0.0F, 255.0F) + 0.0F;
    default:
      return number;
  }
}

struct Case {
  std::vector<std::int32_t> sums;
  std::vector<float> factors;
  std::vector<float> addends;
  std::vector<std::uint8_t> residual;
};

/// Sums of every size, ties among them, that go beyond both ends of bytes; residuals of any bits, NaN among
/// them.
Case draw(std::size_t count, Storage residual_type) {
  RandomSequence random({.seed = 5, .step = static_cast<std::uint32_t>(count)});
  Case one;
  for (std::size_t i = 0; i < count; ++i) {
    one.sums.push_back(static_cast<std::int32_t>(random.bits()) >> random.below(32));
  }
  for (std::size_t c = 0; c < kPeriod; ++c) {
    one.factors.push_back(c % 2 == 0 ? 0.25F : static_cast<float>(random.normal()));
    one.addends.push_back(static_cast<float>(random.below(201)) - 100.0F);
  }
  for (std::size_t i = 0; i < count && residual_type == Storage::float32; ++i) {
    const bool is_number = random.below(16) != 0;
    const auto number =
        is_number ? static_cast<float>(100 * random.normal()) : std::numeric_limits<float>::quiet_NaN();
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&number);
    one.residual.insert(one.residual.end(), bytes, bytes + sizeof number);
  }
  while (residual_type != Storage::none && one.residual.size() < count * size_of(residual_type)) {
    one.residual.push_back(static_cast<std::uint8_t>(random.bits()));
  }
  return one;
}

class Epilogues : public test::EveryInstructionSet {
 protected:
  void expect_loops(std::size_t count, Storage residual_type, Storage type, bool rectifies,
                    float step) const {
    const Case one = draw(count, residual_type);
    const SumEpilogue epilogue = {
        one.factors.data(), one.addends.data(), kPeriod, rectifies, step, 0.37F, 1.5F};
    std::vector<std::uint8_t> found(count * size_of(type));
    kernels().finish_sums(one.sums.data(), count, epilogue, residual_type, one.residual.data(), type,
                          found.data());
    for (std::size_t i = 0; i < count; ++i) {
      float number = static_cast<float>(one.sums[i]) + one.addends[i % kPeriod];
      number *= one.factors[i % kPeriod];
      if (residual_type != Storage::none) {
        if (step != 0) {
          number = step * stored(number / step, Storage::signed_byte);
        }
        const float residual = epilogue.residual_factor * number_at(one.residual, residual_type, i);
        number += residual;
      }
      number = !rectifies || number > 0 ? number : 0.0F;
      number *= epilogue.output_factor;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(number_at(found, type, i)),
                std::bit_cast<std::uint32_t>(stored(number, type)))
          << i << ", sum " << one.sums[i];
    }
    if (residual_type == type && type != Storage::none) {  // where the residual stands
      std::vector<std::uint8_t> place = one.residual;
      kernels().finish_sums(one.sums.data(), count, epilogue, type, place.data(), type, place.data());
      EXPECT_EQ(place, found);
    }
  }
};

TEST_P(Epilogues, EqualLoops) {
  constexpr Storage kTypes[] = {Storage::signed_byte, Storage::unsigned_byte, Storage::float32,
                                Storage::none};
  for (const std::size_t count : {1, 7, 23, 24, 25, 71, 200, 1000}) {
    for (const Storage residual : kTypes) {
      for (const Storage type : kTypes) {
        for (const bool rectifies : {false, true}) {
          SCOPED_TRACE(testing::Message()
                       << count << " sums, residual " << static_cast<int>(residual) << ", to "
                       << static_cast<int>(type) << (rectifies ? ", rectified" : ""));
          for (const float step : {0.0F, 2.0F}) {
            if (type != Storage::none) {
              expect_loops(count, residual, type, rectifies, step);
            }
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, Epilogues, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

TEST(Epilogue, GoesSomewhere) {
  const std::vector<float> ones(1, 1.0F);
  std::vector<float> found(1);
  const SumEpilogue epilogue = {ones.data(), ones.data(), 1, false, 0, 0, 1};
  const std::vector<std::int32_t> sums = {3};
  finish_sums(sums, epilogue, Storage::none, nullptr, Storage::float32, found.data());
  EXPECT_EQ(found[0], 4);
  EXPECT_THROW(finish_sums(sums, epilogue, Storage::none, nullptr, Storage::none, found.data()), Failure);
}

}  // namespace
}  // namespace adapt
