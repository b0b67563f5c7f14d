#include "hdf5/handle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "hdf5/file.hpp"

namespace adapt::hdf5 {
namespace {

std::vector<std::int64_t> closed_ids;

int note_closed(std::int64_t id) {
  closed_ids.push_back(id);
  return 0;
}

TEST(Handle, ClosesOnceAfterMovesAndAssignments) {
  closed_ids.clear();
  {
    Handle first(1, note_closed);
    const Handle second(std::move(first));
    Handle third(3, note_closed);
    third = Handle(4, note_closed);
    EXPECT_EQ(closed_ids, std::vector<std::int64_t>{3});
    EXPECT_EQ(second.id(), 1);
  }
  EXPECT_EQ(closed_ids, (std::vector<std::int64_t>{3, 4, 1}));
}

TEST(Handle, LibraryVersionHasThreeParts) {
  const std::string version = library_version();
  EXPECT_EQ(version.find_first_not_of("0123456789."), std::string::npos) << version;
  EXPECT_EQ(std::count(version.begin(), version.end(), '.'), 2) << version;
}

TEST(Handle, NothingStaysOpen) {
  const std::int64_t before = open_objects();
  {
    File file = File::create();
    Group group = file.root().create_group("a");
    group.set_attribute("x", std::int64_t{1});
    Dataset dataset = group.create_series("s", Datatype::of<float>(), 16);
    EXPECT_GT(open_objects(), before);
    EXPECT_THROW(static_cast<void>(group.dataset("missing")), Error);
  }
  EXPECT_EQ(open_objects(), before);
}

TEST(Handle, FailuresAreOneLineAndHdf5PrintsNothing) {
  ::testing::internal::CaptureStderr();
  std::string message;
  try {
    const std::vector<std::byte> noise(1000, std::byte{7});
    File::open(noise, "noise.h5");
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(message, "open noise.h5: file signature not found");
}

}  // namespace
}  // namespace adapt::hdf5
