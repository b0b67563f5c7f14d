#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/phase.hpp"
#include "data/memory_dataset.hpp"
#include "data/normalize.hpp"
#include "data/png.hpp"
#include "data/registry.hpp"

// A folder with images by class: data.path/train/CLASS/NAME.png and data.path/test/CLASS/NAME.png.

namespace adapt {
namespace {

using Path = std::filesystem::path;

/// An image file, and which class it is of.
struct Labelled {
  Path path;
  std::int32_t label = 0;
};

/// What is in a folder, by name; names that begin with a dot are not ours.
std::vector<Path> entries_of(const Path& folder) {
  std::error_code error;
  std::vector<Path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with('.')) {
      entries.push_back(entry.path());
    }
  }
  if (error || entries.empty()) {
    throw BadInput(concat(folder.string(),
                          ": expected a folder with images by class, train/CLASS/NAME.png and "
                          "test/CLASS/NAME.png, found ",
                          error ? error.message() : "an empty one"));
  }
  std::ranges::sort(entries);
  return entries;
}

std::vector<std::string> classes_of(const Path& folder) {
  std::vector<std::string> classes;
  for (const Path& entry : entries_of(folder / "train")) {
    classes.push_back(entry.filename().string());
  }
  if (classes.size() < 2) {
    throw BadInput(
        concat((folder / "train").string(), ": expected folders of two classes or more, found one"));
  }
  return classes;
}

/// The images of a split: first the first of each class, then the second ones, so that the first so many
/// (data.train_samples) are of all classes.
std::vector<Labelled> images_of(const Path& split, const std::vector<std::string>& classes) {
  std::vector<std::pair<std::size_t, Labelled>> found;
  for (const Path& folder : entries_of(split)) {
    const auto place = std::ranges::find(classes, folder.filename().string());
    if (place == classes.end()) {
      throw BadInput(concat(folder.string(), ": expected a class of the training set, ", classes.front(),
                            " to ", classes.back()));
    }
    std::size_t number = 0;
    for (const Path& file : entries_of(folder)) {
      if (file.extension() != ".png") {
        throw BadInput(concat(file.string(), ": expected a file NAME.png"));
      }
      found.emplace_back(number++, Labelled{file, static_cast<std::int32_t>(place - classes.begin())});
    }
  }
  std::ranges::stable_sort(found, {}, [](const auto& image) { return image.first; });
  std::vector<Labelled> images;
  for (auto& [number, image] : found) {
    images.push_back(std::move(image));
  }
  return images;
}

/// Both splits, training first, and what all images are like.
struct Listing {
  std::vector<Labelled> train;
  std::vector<Labelled> test;
  ImageShape shape;
  int classes = 0;
};

Listing list(const DataOptions& options) {
  if (options.path.empty()) {
    throw BadInput("data.path is empty: expected a folder with train/CLASS/NAME.png and test/CLASS/NAME.png");
  }
  const Path folder = options.path;
  const std::vector<std::string> classes = classes_of(folder);
  Listing listing = {images_of(folder / "train", classes),
                     images_of(folder / "test", classes),
                     {},
                     static_cast<int>(classes.size())};
  listing.shape = png_shape(read_source(listing.train.front().path));
  return listing;
}

std::string size_text(const ImageShape& shape) {
  return concat(shape.height, "x", shape.width, " with ", shape.channels,
                shape.channels == 1 ? " channel" : " channels");
}

/// The first images of a split, decoded.
ImageBlocks decode(const Listing& listing, const std::vector<Labelled>& images, std::int64_t samples,
                   const char* option) {
  const auto count =
      static_cast<std::size_t>(samples_to_take(static_cast<std::int64_t>(images.size()), samples, option));
  const auto elements = static_cast<std::size_t>(listing.shape.elements());
  const auto pixels = std::make_shared<std::vector<std::uint8_t>>(count * elements);
  ImageBlocks blocks = {.shape = listing.shape, .classes = listing.classes};
  for (std::size_t i = 0; i < count; ++i) {
    const SourceFile file = read_source(images[i].path);
    if (const ImageShape shape = png_shape(file); shape != listing.shape) {
      throw BadInput(concat(file.path.string(), ": expected an image of ", size_text(listing.shape), ", as ",
                            listing.train.front().path.string(), " is, found ", size_text(shape)));
    }
    read_png(file, std::span(*pixels).subspan(i * elements, elements));
    blocks.labels.push_back(images[i].label);
    phase::go_on();
  }
  blocks.blocks = {
      {.owner = pixels, .bytes = *pixels, .distance = elements, .images = static_cast<std::int64_t>(count)}};
  return blocks;
}

}  // namespace

DataSplits open_png_folder(const DataOptions& options, std::uint64_t /*seed*/) {
  const Listing listing = list(options);
  DataSplits splits = {std::make_shared<MemoryDataset>(
                           decode(listing, listing.train, options.train_samples, "data.train_samples")),
                       std::make_shared<MemoryDataset>(
                           decode(listing, listing.test, options.test_samples, "data.test_samples")),
                       {}};
  splits.normalization = measured_normalization(*splits.train);
  return splits;
}

DataDescription describe_png_folder(const DataOptions& options) {
  const Listing listing = list(options);
  DataDescription description =
      describe_splits(listing.shape, listing.classes, static_cast<std::int64_t>(listing.train.size()),
                      static_cast<std::int64_t>(listing.test.size()), options);
  description.opening_bytes = description.bytes;  // files are decoded one by one
  return description;
}

}  // namespace adapt
