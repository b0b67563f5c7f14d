#include "base/npy.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace adapt {
namespace {

/// Version 1 or 2 by hand, with `elements` bytes behind the description.
std::string npy(const std::string& description, std::size_t elements, char version = 1) {
  std::string text = concat("\x93NUMPY", version, '\0', static_cast<char>(description.size()), '\0');
  text += version == 1 ? "" : std::string(2, '\0');
  return text + description + std::string(elements, 'x');
}

std::string described(const std::string& type, const std::string& shape, const char* fortran = "False") {
  return concat("{'descr': '", type, "', 'fortran_order': ", fortran, ", 'shape': (", shape, "), }\n");
}

NpyHeader read(const std::string& text) { return read_npy_header(std::as_bytes(std::span(text))); }

void expect_flaw(const std::string& text, std::size_t offset, const std::string& part) {
  try {
    read(text);
  } catch (const NpyFlaw& flaw) {
    EXPECT_EQ(flaw.offset, offset) << part;
    EXPECT_NE((flaw.expected + flaw.found).find(part), std::string::npos)
        << flaw.expected << ", " << flaw.found;
    return;
  }
  ADD_FAILURE() << "it was read: " << part;
}

TEST(Npy, ReadsTypeAndShapeOfEveryVersion) {
  for (const char version : {'\1', '\2', '\3'}) {
    const NpyHeader header = read(npy(described("<i2", "3, 4"), 24, version));
    EXPECT_EQ(header.type, "<i2");
    EXPECT_EQ(header.dims, (std::vector<std::int64_t>{3, 4}));
    EXPECT_EQ(header.start, (version == 1 ? 10U : 12U) + described("<i2", "3, 4").size());
  }
  EXPECT_TRUE(read(npy(described("|u1", ""), 1)).dims.empty());
  EXPECT_EQ(read(npy(described("|u1", "5,"), 5)).dims, std::vector<std::int64_t>{5});
}

TEST(Npy, WhatIsDamagedIsRefusedWithItsPlace) {
  const std::string good = npy(described("|u1", "5,"), 5);
  expect_flaw(good.substr(0, 3), 3, "truncated");
  expect_flaw("X" + good.substr(1), 0, "\\x93NUMPY");
  expect_flaw(good.substr(0, 30), 30, "a description of ");
  expect_flaw(good.substr(0, good.size() - 1), good.size() - 1, "truncated");
  expect_flaw(good + "yy", good.size(), "2 surplus bytes");
  expect_flaw(npy(described("|u1", "5,", "True"), 5), 10, "Fortran");
  expect_flaw(npy("{'descr': '|u1', 'fortran_order': False, }", 5), 10, "'shape'");
  expect_flaw(npy(described("|V", "5,"), 5), 10, "fixed width");
  const std::size_t shape = 10 + described("|u1", "").find('(') + 1;
  expect_flaw(npy(described("|u1", "-5,"), 5), shape, "numbers");
  expect_flaw(npy(described("|u1", "99999999999999999999,"), 5), shape, "file can hold");
  expect_flaw(npy(described("|u1", "4294967296, 4294967296"), 5), 10, "file can hold");
}

}  // namespace
}  // namespace adapt
