// The bytes are a run.h5 without a seal, whose checksums are made to fit, as anybody can make them. The HDF5
// library reads it in a child process, as it always does: it may crash there, loop, and take what memory the
// child may have. What counts is what this process gets: a run whose values are within their bounds, or
// BadInput in one line with the file's name.
//
// The child lives on from input to input that it survives, so that most cost no start of a process. What they
// reach in it libFuzzer does not see; it is told of refusals instead, as so many places in the code.
//
// HDF5 loops for about one input in a thousand. Here a child has kChildSeconds for all its inputs together
// instead of kIsolatedSeconds for each, so that such an input does not cost the time of thousands; one that
// is read when they are over is refused like those.

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/isolated.hpp"
#include "harness.hpp"
#include "hdf5_checksums.hpp"
#include "numerics/quantize.hpp"
#include "record/run_reader.hpp"
#include "record/tensor_check.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace adapt;

/// Processor time of a child.
constexpr rlim_t kChildSeconds = 3;

/// One for each refusal; libFuzzer looks for them in this section.
__attribute__((section("__libfuzzer_extra_counters"))) std::array<std::uint8_t, 4096> reached;

/// Refusals that differ in their numbers only are one.
void tell_of(std::string refusal) {
  std::erase_if(refusal, [](char c) { return c >= '0' && c <= '9'; });
  reached.at(std::hash<std::string>()(refusal) % reached.size()) = 1;
}

void require_sound(const std::optional<FixedFormat>& format) {
  fuzz::require(!format || is_accepted(format->word_length, format->fractional_length));
}

void require_sound(const std::vector<ModelTensor>& tensors) {
  for (const ModelTensor& tensor : tensors) {
    fuzz::require(flaw_of(tensor).empty());
  }
}

void require_sound(const std::vector<LayerRecord>& rows) {
  for (const LayerRecord& row : rows) {
    for (const auto tensor : kTensors<std::optional<FixedFormat>>) {
      require_sound(row.formats.*tensor);
    }
  }
}

void require_sound(const RunContents& run) {
  require_sound(run.model);
  require_sound(run.best_model.tensors);
  fuzz::require(run.layer_rows.size() == run.layers.size());
  for (const auto& [name, rows] : run.layer_rows) {
    require_sound(rows);
  }
  for (const SwitchEvent& event : run.switches) {
    fuzz::require(event.layer >= 0 && static_cast<std::size_t>(event.layer) < run.layers.size());
    require_sound(event.before);
    require_sound(event.after);
    require_sound(event.minimal);
  }
}

}  // namespace

/// main() of libFuzzer and driver.cpp begin with this.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 2 && std::string_view((*argv)[1]).starts_with("--isolated=")) {
    const rlimit limit = {kChildSeconds, kChildSeconds};
    ::setrlimit(RLIMIT_CPU, &limit);  // the child does not lift a hard limit
  }
  serve_isolated(*argc, *argv);
  return 0;
}

/// Changes a few bytes where they are: addresses in the file stay right.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  constexpr std::size_t kLongest = 16;
  constexpr unsigned kOtherwise = 16;  // once in so many
  std::minstd_rand random(seed);
  if (size == 0 || random() % kOtherwise == 0) {
    return LLVMFuzzerMutate(data, size, most);
  }
  const std::size_t at = random() % size;
  const std::size_t length = std::min<std::size_t>(1 + random() % kLongest, size - at);
  LLVMFuzzerMutate(data + at, length, length);
  return size;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path path = fuzz::folder() / "run.h5";
  static RunReader reader;
  std::vector<std::uint8_t> file(data, data + size);
  fuzz::ChecksumRepair(file).run();
  fuzz::write_file(path, fuzz::text_of(file.data(), file.size()));
  try {
    require_sound(reader.read(path, RunParts::all));
  } catch (const BadInput& error) {
    const std::string message = error.what();
    fuzz::require(message.find(path.string()) != std::string::npos);
    fuzz::require(message.find('\n') == std::string::npos);
    tell_of(message);
  }
  return 0;
}
