// main() of every test program without MPI: that of GoogleTest, for programs that start themselves as a
// child.

#include <gtest/gtest.h>

#include <iostream>

#include "base/error.hpp"
#include "base/isolated.hpp"
#include "numerics/dispatch.hpp"

int main(int argc, char** argv) {
  adapt::serve_isolated(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  try {
    static_cast<void>(adapt::vector::level());
  } catch (const adapt::BadInput& error) {  // ADAPT_ISA asks for more than this processor has
    std::cerr << error.what() << "\n";
    return 1;
  }
  return RUN_ALL_TESTS();
}
