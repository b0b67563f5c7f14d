#include "train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.hpp"
#include "base/sha256.hpp"

namespace adapt {
namespace {

Checkpoint sample() {
  Checkpoint checkpoint;
  checkpoint.identity = "0123abcd";
  checkpoint.step = 12;
  checkpoint.epochs = 3;
  checkpoint.best_epoch = 2;
  ModelTensor integers = {"conv.weight", {2, 1, 2}, FixedFormat{8, -3}, {-128, 0, 5, 127}, {}};
  integers.inputs = FixedFormat{9, 4};
  integers.operands = FixedFormat{32, 40};
  checkpoint.model = {integers, {"bn.running_mean", {3}, std::nullopt, {}, {0.5F, -0.0F, 1e-40F}}};
  checkpoint.best_model = {integers};
  checkpoint.best_model[0].integers[1] = 7;
  checkpoint.state.assign(300, std::byte{0xA5});
  return checkpoint;
}

void expect_equal(const std::vector<ModelTensor>& a, const std::vector<ModelTensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].dims, b[i].dims);
    EXPECT_EQ(a[i].format, b[i].format);
    EXPECT_EQ(a[i].integers, b[i].integers);
    EXPECT_EQ(a[i].numbers, b[i].numbers);
    EXPECT_EQ(a[i].inputs, b[i].inputs);
    EXPECT_EQ(a[i].outputs, b[i].outputs);
    EXPECT_EQ(a[i].operands, b[i].operands);
  }
}

constexpr std::size_t kSealBytes = 65;

/// Makes the digest fit again, as a forger would.
void seal(std::vector<std::byte>& bytes) {
  const std::string digest = sha256(std::span(bytes).first(bytes.size() - kSealBytes)) + "\n";
  std::ranges::copy(std::as_bytes(std::span(digest)), bytes.end() - kSealBytes);
}

std::string reason(std::span<const std::byte> bytes) {
  try {
    decode(bytes);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(CheckpointFile, ComesBackAsItWas) {
  const Checkpoint before = sample();
  const Checkpoint after = decode(encode(before));
  EXPECT_EQ(after.identity, before.identity);
  EXPECT_EQ(after.step, 12);
  EXPECT_EQ(after.epochs, 3);
  EXPECT_EQ(after.best_epoch, 2);
  EXPECT_EQ(after.state, before.state);
  expect_equal(after.model, before.model);
  expect_equal(after.best_model, before.best_model);
  EXPECT_EQ(encode(after), encode(before));
}

TEST(CheckpointFile, EveryTruncationIsNoticed) {
  const std::vector<std::byte> whole = encode(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(reason(std::span(whole).first(size)), "") << size;
  }
}

TEST(CheckpointFile, EveryFlippedBitIsNoticed) {
  const std::vector<std::byte> whole = encode(sample());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::vector<std::byte> flipped = whole;
    flipped[at] ^= std::byte{0x10};
    EXPECT_NE(reason(flipped), "") << at;
  }
}

TEST(CheckpointFile, ForeignBytesAreRefusedWithAReason) {
  std::vector<std::byte> bytes = encode(sample());
  EXPECT_EQ(reason({}), "it does not start as a checkpoint does");
  bytes[17] = std::byte{'3'};  // "adapt-checkpoint 3"
  seal(bytes);
  EXPECT_EQ(reason(bytes), "its format is 'adapt-checkpoint 3', this program knows 'adapt-checkpoint 2'");
  bytes[17] = std::byte{'2'};
  EXPECT_NE(reason(bytes).find("damaged or cut short"), std::string::npos);
}

/// Whatever stands in a file with a fitting digest: it is read or refused, without a crash (the sanitizers
/// look) and without the memory that a forged count asks for.
TEST(CheckpointFile, ForgedContentIsReadOrRefused) {
  std::mt19937 random(7);
  const std::vector<std::byte> whole = encode(sample());
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> forged = whole;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = 19 + random() % (forged.size() - kSealBytes - 19);
      forged[at] = static_cast<std::byte>(random() % 2 == 0 ? 0xFF : random());
    }
    seal(forged);
    refused += reason(forged).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace adapt
