#pragma once

#include <string>

#include "nn/description.hpp"

namespace adapt {

/// A model as a model file declares it (src/README.md, "A model"), which is YAML:
///   name    of the model
///   image   [C, H, W] that it is usually trained on
///   layers  a list of operations, each `kind` or `kind: {option: value}`. Kinds are those of
///   nn/ops/registry.hpp and the
///           file's own blocks. Any operation has the options `name`, `from` (which layer it reads, if not
///           the one before it; of `add` a list of two) and `optional` (left out where the map is too small
///           for it).
///   blocks  lists of operations by name. As a layer a block has the options `name`, `from`, `repeat`,
///   `first` (number
///           of the first repetition, 1), and values for the parameters, $channels, that stand in it.
///   parameters  values of the parameters in `layers`; $classes is that of the data set
///   base    a shipped model, which this one is but for its name and parameters
/// `source` names the text in messages. Throws BadInput, "FILE:LINE: ...", where something is wrong; shapes
/// are looked at by lower() only.
ModelDescription read_model(const std::string& text, const std::string& source, int classes);

/// The model as a model file without blocks, parameters (but $classes) and base, which says the same.
std::string flat_text(const std::string& text, const std::string& source);

}  // namespace adapt
