#pragma once

#include <filesystem>

#include "base/isolated.hpp"
#include "record/run_contents.hpp"

namespace adapt {

/// Reads run files in a child process, which lets the HDF5 library open no other file: neither what a file's
/// links and storage name, nor a plug-in. One child reads all that are read with one object. main() must
/// begin with serve_isolated().
class RunReader {
 public:
  RunReader();

  /// Throws BadInput (path and reason, one line) for what is no run.h5 that this program can use, whatever
  /// the HDF5 library does with it.
  RunContents read(const std::filesystem::path& file, RunParts parts);

 private:
  IsolatedChild child_;
};

}  // namespace adapt
