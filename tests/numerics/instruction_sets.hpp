#pragma once

#include <gtest/gtest.h>

#include <string>

#include "numerics/dispatch.hpp"

namespace adapt::test {

/// A test that runs once for each instruction set, skipped where the processor lacks it.
class EveryInstructionSet : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    kernels_ = vector::find_kernels(GetParam());
    if (kernels_ == nullptr) {
      GTEST_SKIP() << "this processor cannot run " << GetParam();
    }
  }
  [[nodiscard]] const vector::Kernels& kernels() const { return *kernels_; }

 private:
  const vector::Kernels* kernels_ = nullptr;
};

inline std::string instruction_set_name(const testing::TestParamInfo<std::string_view>& info) {
  return std::string(info.param);
}

}  // namespace adapt::test
