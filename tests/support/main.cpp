// main() of every test program without MPI: that of GoogleTest, for programs that start themselves as a
// child.

#include <gtest/gtest.h>

#include "base/isolated.hpp"

int main(int argc, char** argv) {
  adapt::serve_isolated(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
