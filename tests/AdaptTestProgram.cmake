# adapt_test_program(name source...): a GoogleTest program. GoogleTest's header, most of what a test's compilation takes, is
# compiled once for all; and tests are optimized little, as a better code for them costs more time than it saves.

add_library(test_main OBJECT support/main.cpp)
target_link_libraries(test_main PRIVATE adapt_core adapt_options GTest::gtest)
target_compile_options(test_main PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
target_precompile_headers(test_main PRIVATE <gtest/gtest.h>)


function(adapt_test_program name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE adapt_core adapt_options GTest::gtest)
  target_precompile_headers(${name} REUSE_FROM test_main)
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
endfunction()
