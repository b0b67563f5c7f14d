#include "nn/kernels/onednn.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace adapt {
namespace {

// Lists of ranks and resumptions are made of such words.
TEST(Onednn, AnInstructionSetIsOneWord) {
  const std::string name = onednn::instruction_set();
  EXPECT_FALSE(name.empty());
  for (const char letter : name) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_') << name;
  }
}

}  // namespace
}  // namespace adapt
