#pragma once

#include <array>
#include <string_view>

#include "nn/operation.hpp"
#include "nn/option_reader.hpp"

namespace adapt::ops {

/// A kind of operation as model files name it, and what makes one of its options.
struct Kind {
  std::string_view name;
  OperationPtr (*read)(OptionReader& options);
};

// Each is defined, with its options, in a file beside this one: relu and tanh in activation.cpp, pools in
// pooling.cpp, add in addition.cpp, the others in the file of their name.
OperationPtr read_add(OptionReader& options);
OperationPtr read_average_pool(OptionReader& options);
OperationPtr read_batch_norm(OptionReader& options);
OperationPtr read_convolution(OptionReader& options);
OperationPtr read_dropout(OptionReader& options);
OperationPtr read_global_average_pool(OptionReader& options);
OperationPtr read_linear(OptionReader& options);
OperationPtr read_max_pool(OptionReader& options);
OperationPtr read_relu(OptionReader& options);
OperationPtr read_tanh(OptionReader& options);

/// Every kind that a model file may name.
inline constexpr std::array kKinds = {
    Kind{"add", read_add},
    Kind{"average_pool", read_average_pool},
    Kind{"batch_norm", read_batch_norm},
    Kind{"convolution", read_convolution},
    Kind{"dropout", read_dropout},
    Kind{"global_average_pool", read_global_average_pool},
    Kind{"linear", read_linear},
    Kind{"max_pool", read_max_pool},
    Kind{"relu", read_relu},
    Kind{"tanh", read_tanh},
};

/// Of an activation, to the format of a layer. No model file has it: lowering puts it in.
OperationPtr quantization(QuantizePlace place);

}  // namespace adapt::ops
