#include "record/run_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "hdf5/file.hpp"
#include "hdf5/superblock.hpp"
#include "record/integrity.hpp"
#include "sample_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::Scratch;

/// The message of the BadInput that reading `path` throws; empty when it can be read.
std::string refusal(const std::filesystem::path& path) {
  static RunReader reader;
  try {
    static_cast<void>(RunFile(path, RunParts::all, reader));
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

void expect_refused(const std::filesystem::path& path, const std::string& reason) {
  const std::string message = refusal(path);
  EXPECT_NE(message.find(reason), std::string::npos) << "got: " << message;
  EXPECT_NE(message.find(path.string()), std::string::npos) << "the path is missing: " << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(RunFile, ReadsBackWhatWasLogged) {
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  const RunFile run(scratch.path());
  EXPECT_EQ(run.configuration(), "training:\n  seed: 1\n");
  EXPECT_EQ(run.provenance(), test::sample_provenance());
  EXPECT_EQ(run.layers(), test::sample_layers());
  EXPECT_EQ(run.summary().at("modelled_speedup"), 1.27);
  const auto steps = run.steps();
  ASSERT_EQ(steps.size(), 12U);
  EXPECT_EQ(steps[11].step, 12);
  EXPECT_EQ(steps[11].loss, test::sample_step(12).loss);
  EXPECT_EQ(steps[11].seconds.data, 0.5);
  EXPECT_EQ(steps[11].seconds.record, 7.5);
  EXPECT_EQ(steps[11].exposed_seconds, 0.25);
  EXPECT_EQ(steps[11].bytes_sent, (std::int64_t{1} << 40) + 12);
  EXPECT_EQ(steps[11].messages_sent, (std::int64_t{1} << 33) + 12);
  EXPECT_EQ(steps[11].strategy, "mean");
  const auto epochs = run.epochs();
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_TRUE(std::isnan(epochs[1].test_loss));
  EXPECT_EQ(epochs[1].test_accuracy, 0.2);
  EXPECT_EQ(epochs[1].test_seconds, 0.75);
}

TEST(RunFile, ReadsBackFormatsSwitchesAndTensors) {
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  const RunFile run(scratch.path() / "run.h5");
  for (int layer = 0; layer < 3; ++layer) {
    const auto rows = run.layer_rows(test::sample_layers()[static_cast<std::size_t>(layer)].name);
    ASSERT_EQ(rows.size(), 12U);
    const LayerRecord expected = test::sample_layer_row(layer, 12);
    EXPECT_EQ(rows[11].formats, expected.formats);
    EXPECT_EQ(rows[11].state.diversity, expected.state.diversity);
    EXPECT_EQ(rows[11].density, expected.density);
    EXPECT_EQ(rows[11].dead_channels, expected.dead_channels);
    EXPECT_EQ(rows[11].losses, expected.losses);
  }
  const auto switches = run.switches();
  ASSERT_EQ(switches.size(), 2U);
  EXPECT_EQ(switches[1].step, 10);
  EXPECT_EQ(switches[1].layer, 1);
  EXPECT_EQ(switches[1].before, (FixedFormat{8, 4}));
  EXPECT_EQ(switches[1].after, std::nullopt);
  EXPECT_EQ(switches[1].minimal, (FixedFormat{6, -3}));
  EXPECT_EQ(switches[1].strategy, "max");
  const auto model = run.model();
  ASSERT_EQ(model.size(), test::sample_model().size());
  for (std::size_t i = 0; i < model.size(); ++i) {
    EXPECT_EQ(model[i].name, test::sample_model()[i].name);
    EXPECT_EQ(model[i].dims, test::sample_model()[i].dims);
    EXPECT_EQ(model[i].format, test::sample_model()[i].format);
    EXPECT_EQ(model[i].integers, test::sample_model()[i].integers);
    EXPECT_EQ(model[i].numbers, test::sample_model()[i].numbers);
  }
}

TEST(RunFile, RefusesWhatIsNoRun) {
  const Scratch scratch;
  expect_refused(scratch.path() / "nothing", "No such file");
  expect_refused(scratch.path(), "holds no run.h5");
  std::filesystem::create_directories(scratch.path() / "dir" / "run.h5");
  expect_refused(scratch.path() / "dir" / "run.h5", "holds no run.h5");
  std::ofstream(scratch.path() / "empty").flush();
  expect_refused(scratch.path() / "empty", "is empty");
  std::ofstream(scratch.path() / "text") << "not HDF5 at all";
  expect_refused(scratch.path() / "text", "file signature not found");
}

TEST(RunFile, RefusesForeignFilesAndNewerVersions) {
  const Scratch scratch;
  const hdf5::File file = hdf5::File::create();
  write_atomically(scratch.path() / "foreign", file.image());
  expect_refused(scratch.path() / "foreign", "format_name is not 'adapt-run'");
  file.root().set_attribute("format_name", "adapt-run");
  file.root().set_attribute("format_version", std::int64_t{2});
  write_atomically(scratch.path() / "newer", file.image());
  expect_refused(scratch.path() / "newer", "format_version is 2");
  file.root().set_attribute("format_version", std::int64_t{1});
  write_atomically(scratch.path() / "bare", file.image());
  expect_refused(scratch.path() / "bare", "/config is missing");
}

class DamagedRunFile : public ::testing::Test {
 protected:
  DamagedRunFile() {
    test::write_sample_run(scratch_.path() / "run");
    bytes_ = read_file(scratch_.path() / "run" / "run.h5", kSmallFile);
  }
  /// Writes `bytes` as a file of their own.
  std::filesystem::path file_of(std::span<const std::byte> bytes) {
    const auto path = scratch_.path() / "damaged.h5";
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  Scratch scratch_;
  std::vector<std::byte> bytes_;
  std::mt19937 random_{7};
};

TEST_F(DamagedRunFile, EveryTruncationIsRefused) {
  // A cut inside the seal leaves a whole HDF5 file, as one that another program wrote.
  const std::size_t seal = 82;
  for (std::size_t size = 0; size + seal < bytes_.size(); size += 1 + size / 16) {
    EXPECT_NE(refusal(file_of(std::span(bytes_).first(size))), "")
        << size << " of " << bytes_.size() << " bytes";
  }
  EXPECT_NE(refusal(file_of(std::span(bytes_).first(bytes_.size() - seal - 1))), "");
  EXPECT_EQ(refusal(file_of(std::span(bytes_).first(bytes_.size() - 1))), "");
}

TEST_F(DamagedRunFile, EveryFlippedBitIsRefused) {
  for (int round = 0; round < 200; ++round) {
    std::vector<std::byte> bad = bytes_;
    const std::size_t at = random_() % (bad.size() - 82);
    bad[at] ^= static_cast<std::byte>(1U << (random_() % 8));
    EXPECT_NE(refusal(file_of(bad)), "") << "byte " << at;
  }
}

TEST_F(DamagedRunFile, WithoutASealFlippedBytesAreRefusedOrReadButNeverCrash) {
  bytes_.resize(bytes_.size() - 82);
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    std::vector<std::byte> bad = bytes_;
    for (int flips = 0; flips <= round % 4; ++flips) {
      bad[random_() % bad.size()] = static_cast<std::byte>(random_() & 0xffU);
    }
    refused += refusal(file_of(bad)).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 100) << "most bytes are metadata with a checksum";
}

TEST_F(DamagedRunFile, WithoutASealTruncationsAreRefused) {
  bytes_.resize(bytes_.size() - 82);
  for (std::size_t size = bytes_.size() - 1; size > 0; size -= 1 + size / 16) {
    EXPECT_NE(refusal(file_of(std::span(bytes_).first(size))), "") << size;
  }
}

/// The object header (HDF5 File Format Specification 3.0, IV.A.1.b) that starts at `at`: where its messages
/// begin, and where its checksum stands behind them.
struct ObjectHeader {
  std::size_t at;
  std::size_t messages;
  std::size_t checksum;
};

std::vector<ObjectHeader> object_headers(std::span<const std::byte> image) {
  const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
  std::vector<ObjectHeader> found;
  for (std::size_t at = text.find("OHDR"); at != std::string_view::npos; at = text.find("OHDR", at + 1)) {
    const auto flags = std::to_integer<unsigned>(image[at + 5]);
    const std::size_t size_at = at + 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
    const std::size_t size_bytes = std::size_t{1} << (flags & 3U);
    std::size_t size = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) {
      size |= std::to_integer<std::size_t>(image[size_at + i]) << (8 * i);
    }
    found.push_back({at, size_at + size_bytes, size_at + size_bytes + size});
  }
  return found;
}

TEST_F(DamagedRunFile, MetadataWithRightChecksumsUnderARightSealNeverEndsTheReader) {
  bytes_.resize(bytes_.size() - 82);
  const std::vector<ObjectHeader> headers = object_headers(bytes_);
  ASSERT_GT(headers.size(), 50U);
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<std::byte> bad = bytes_;
    const ObjectHeader& header = headers[random_() % headers.size()];
    for (int flips = 0; flips <= round % 3; ++flips) {
      bad[header.messages + random_() % (header.checksum - header.messages)] =
          static_cast<std::byte>(random_() & 0xffU);
    }
    const std::uint32_t sum = hdf5::lookup3(std::span(bad).subspan(header.at, header.checksum - header.at));
    for (std::size_t i = 0; i < sizeof(sum); ++i) {
      bad[header.checksum + i] = static_cast<std::byte>(sum >> (8 * i));
    }
    append_seal(bad);
    refused += refusal(file_of(bad)).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace adapt
