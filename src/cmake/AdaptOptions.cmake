# Compiler options of our own code: the interface target adapt_options.

add_library(adapt_options INTERFACE)
# No contraction to fused multiply-add: our own arithmetic gives the same bits whatever the instruction set.
# No math errno and no trapping math: lets the compiler vectorize floor and friends; neither changes a value.
target_compile_options(adapt_options INTERFACE -ffp-contract=off -fno-math-errno -fno-trapping-math
                                               -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
if(ADAPT_WERROR)
  target_compile_options(adapt_options INTERFACE -Werror)
endif()
if(ADAPT_FUZZ)
  target_compile_options(adapt_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(ADAPT_SANITIZE)
  target_compile_options(adapt_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                                 -fno-omit-frame-pointer)
  # The check of virtual tables opens a pipe, and takes it for an error where it cannot: in a confined child
  # (base/isolated.hpp).
  target_compile_options(adapt_options INTERFACE -fno-sanitize=vptr)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # What is inlined with its checks confuses GCC 12: it warns of members of std::regex.
    target_compile_options(adapt_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_link_options(adapt_options INTERFACE -fsanitize=address,undefined)
endif()
