// Model files: what they mean, and how mistakes in them are named.

#include "nn/model_file.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "base/error.hpp"
#include "nn/graph.hpp"
#include "nn/models.hpp"
#include "nn/ops/registry.hpp"
#include "nn/passes/lower.hpp"

namespace adapt {
namespace {

constexpr const char* kHead = "name: mine\nimage: [3, 8, 8]\n";

std::vector<std::string> layers_of(const ModelDescription& model) {
  std::vector<std::string> all;
  for (const LayerNode& node : model.nodes) {
    std::string text = node.name;
    for (const int input : node.inputs) {
      text += concat(' ', input);
    }
    all.push_back(text);
  }
  return all;
}

ModelDescription read(const std::string& text) { return read_model(kHead + text, "m.yaml", 7); }

TEST(ModelFile, AListOfOperationsReadsOneAfterTheOther) {
  const ModelDescription model = read(
      "layers:\n  - convolution: {name: a, channels: 4, kernel: 3}\n  - relu\n  - add: {from: [a, relu2]}\n"
      "  - linear: {name: out, outputs: $classes}\n");
  EXPECT_EQ(model.name, "mine");
  EXPECT_EQ(model.image, (Shape{1, 3, 8, 8}));
  EXPECT_EQ(layers_of(model), (std::vector<std::string>{"a 0", "relu2 1", "add3 1 2", "out 3"}));
  EXPECT_EQ(lower(model, {2, 3, 8, 8}, false).nodes.back().output, (Shape{2, 7, 1, 1}));
  EXPECT_EQ(model.nodes[2].place, "m.yaml:6");
}

TEST(ModelFile, BlocksAreWrittenOutWithTheirParameters) {
  const ModelDescription model = read(
      "parameters: {times: 2}\n"
      "blocks:\n  inner:\n    - convolution: {name: c, channels: $wide, kernel: 1}\n    - add: {name: s, "
      "from: [c, c]}\n"
      "  outer:\n    - inner: {name: one, wide: $wide}\n    - inner: {name: two, wide: 5}\n"
      "layers:\n  - outer: {name: b, repeat: $times, first: 3, wide: 9}\n  - add: {from: [b3, b4]}\n  - "
      "inner: "
      "{name: x, wide: 2, repeat: 0}\n");
  EXPECT_EQ(layers_of(model), (std::vector<std::string>{"b3.one.c 0", "b3.one.s 1 1", "b3.two.c 2",
                                                        "b3.two.s 3 3", "b4.one.c 4", "b4.one.s 5 5",
                                                        "b4.two.c 6", "b4.two.s 7 7", "add9 4 8"}));
  const Graph graph = lower(model, {1, 3, 8, 8}, false);
  EXPECT_EQ(graph.nodes[4].output.c, 9);
  EXPECT_EQ(graph.nodes[6].output.c, 5);
}

TEST(ModelFile, AnOptionalLayerIsLeftOutWhereItDoesNotFit) {
  const ModelDescription model = read("layers:\n  - max_pool: {kernel: 4, optional: true}\n  - relu\n");
  EXPECT_EQ(lower(model, {1, 3, 8, 8}, false).nodes.size(), 2U);
  const Graph small = lower(model, {1, 3, 2, 2}, false);
  ASSERT_EQ(small.nodes.size(), 1U);
  EXPECT_EQ(small.nodes[0].inputs, std::vector<int>{0});
}

TEST(ModelFile, ABaseIsAShippedModelWithOtherParameters) {
  const ModelDescription model =
      read_model("name: r8\nbase: resnet20\nparameters: {blocks: 1, more: 0}\n", "m.yaml", 10);
  EXPECT_EQ(model.name, "r8");
  EXPECT_EQ(lower(model, {1, 3, 32, 32}, false).layers.size(), 10U);
}

TEST(ModelFile, TheFlatTextSaysTheSame) {
  for (const std::string& name : model_names()) {
    const std::string flat = flat_text(shipped_model(name), name);
    const ModelDescription whole = make_model(name, 10);
    const ModelDescription again = read_model(flat, "flat", 10);
    EXPECT_EQ(layers_of(again), layers_of(whole));
    EXPECT_EQ(flat_text(flat, "flat"), flat);
    EXPECT_EQ(flat.find("blocks"), std::string::npos);
    const Graph a = lower(whole, {2, 3, 32, 32}, true);
    const Graph b = lower(again, {2, 3, 32, 32}, true);
    ASSERT_EQ(a.nodes.size(), b.nodes.size());
    for (std::size_t i = 0; i < a.nodes.size(); ++i) {
      EXPECT_EQ(a.nodes[i].output, b.nodes[i].output);
      EXPECT_EQ(a.nodes[i].op().kind(), b.nodes[i].op().kind());
    }
  }
}

TEST(ModelFile, GlobalAveragePoolingTakesAnySize) {
  const ModelDescription model = read("layers:\n  - global_average_pool\n");
  for (const int side : {1, 5, 8}) {
    EXPECT_EQ(lower(model, {2, 3, side, side}, false).nodes.back().output, (Shape{2, 3, 1, 1}));
  }
  EXPECT_THROW(lower(model, {2, 3, 4, 5}, false), BadInput);
}

std::string refusal(const std::string& text) {
  try {
    lower(read(text), {1, 3, 8, 8}, false);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ModelFile, MistakesAreNamedWithTheirPlace) {
  const std::pair<const char*, const char*> kCases[] = {
      {"layer: []\n", "m.yaml:3: unknown key 'layer'; did you mean 'layers'?"},
      {"layers: relu\n", "m.yaml:3: 'layers': expected a list of layers"},
      {"layers: []\n", "m.yaml: 'layers': expected a list of layers such as [relu]"},
      {"layers:\n  - rleu\n", "m.yaml:4: unknown operation or block 'rleu'; did you mean 'relu'?"},
      {"layers:\n  - [relu]\n", "m.yaml:4: expected a layer such as 'relu' or"},
      {"layers:\n  - convolution: {kernel: 3}\n", "m.yaml:4: 'convolution': option 'channels' is missing"},
      {"layers:\n  - convolution: {channels: 0, kernel: 3}\n",
       "m.yaml:4: 'channels': expected an integer from 1"},
      {"layers:\n  - convolution: {name: a, channels: 4, kernel: 3, groups: 2}\n",
       "m.yaml:4: layer 'a': 2 groups do not divide 3 channels of the input and 4 of the output evenly"},
      {"layers:\n  - relu: {slope: 1}\n", "m.yaml:4: 'relu': unknown option 'slope'"},
      {"layers:\n  - relu: {from: b}\n",
       "m.yaml:4: 'from': no layer 'b' stands before; expected one of input"},
      {"layers:\n  - relu: {from: [input, input]}\n", "m.yaml:4: 'relu': reads 2 layers; expected one"},
      {"layers:\n  - add\n", "m.yaml:4: 'add': reads 1 layers; expected two, such as from: [a, b]"},
      {"layers:\n  - linear: {outputs: $width}\n", "m.yaml:4: 'outputs': unknown parameter 'width'"},
      {"layers:\n  - relu: {name: a}\n  - relu: {name: a}\n", "m.yaml:5: two layers are called 'a'"},
      {"blocks: {relu: [tanh]}\nlayers: [relu]\n", "m.yaml:3: 'blocks': 'relu' is an operation"},
      {"blocks:\n  a:\n    - a\nlayers: [a]\n", "m.yaml:5: block 'a': more than 16 blocks within each other"},
      {"blocks:\n  a: [relu, relu]\n  b:\n    - a: {repeat: 1000}\nlayers:\n  - b: {repeat: 1000}\n",
       "more than 10000 layers"},
      {"layers:\n  - convolution: {name: c, channels: 4, kernel: 3}\n  - relu: {name: dead}\n  - tanh: "
       "{from: c}\n",
       "m.yaml:5: layer 'dead': nobody reads it; expected a later layer that does"},
      {"layers:\n  - relu: {name: a}\n  - tanh: {name: b}\n  - max_pool: {from: a, kernel: 9, optional: "
       "true}\n",
       "m.yaml:5: layer 'b': nobody reads it"},
      {"layers:\n  - max_pool: {kernel: 9, optional: true}\n",
       "model 'mine': has no layer for images of (1, 3, 8, 8)"},
      {"blocks:\n  a: [b: {repeat: 1000}]\n  b: [c: {repeat: 1000}]\n  c: []\nlayers: [a, relu]\n",
       "m.yaml:5: more than 10000 blocks"},
      {"blocks: {my block: [relu]}\nlayers: [my block]\n", "m.yaml:3: 'blocks': expected a name of at most"},
      {"blocks: {b: [relu: {name: r}]}\nlayers:\n  - b: {repat: 2}\n",
       "m.yaml:5: nothing in the block 'b' reads a parameter 'repat'; expected one that stands there as "
       "$repat"},
      {"blocks: {b: [relu: {name: r}]}\nlayers:\n  - b: {classes: 2}\n",
       "m.yaml:5: 'b': 'classes' is no parameter of a block"},
      {"blocks: {b: [relu: {name: r}]}\nlayers:\n  - b: {x: [2]}\n",
       "m.yaml:5: 'b': 'x' is no parameter of a block"},
      {"blocks: {b: [relu: {name: r}]}\nlayers:\n  - b: {repeat: $classes}\n",
       "m.yaml:5: 'repeat': expected an integer"},
      {"parameters: {classes: 7}\nlayers: [relu]\n",
       "m.yaml:3: 'parameters': 'classes': expected a name and a value"},
      {"parameters: {wide: 7}\nlayers: [relu]\n", "m.yaml:3: nothing in the model reads a parameter 'wide'"},
      {"layers:\n  - relu: {from: []}\n", "m.yaml:4: 'from': an empty list"},
      {"parameters: {a: [1]}\nlayers: [relu]\n",
       "m.yaml:3: 'parameters': 'a': expected a name and a value such as channels: 16"},
      {"base: resnet21\n", "m.yaml:3: 'base': expected one of"},
      {"base: resnet20\n", "m.yaml:3: 'base': a model that stands on another has a name and parameters only"},
      {"layers:\n  - convolution: {name: a, channels: 4, kernel: 3}\n  - add: {name: s, from: [a, input]}\n",
       "m.yaml:5: layer 's' wants (1, 4, 6, 6), as from 'a', and gets (1, 3, 8, 8) from the image"},
      {"layers:\n  - convolution: {name: a, channels: 4, kernel: 9}\n",
       "m.yaml:4: layer 'a': kernel 9 with padding 0 does not fit its input (1, 3, 8, 8)"},
      {"layers:\n  - convolution: {channels: 16777216, kernel: 1}\n  - convolution: {channels: 16777216, "
       "kernel: 1}\n"
       "  - convolution: {channels: 16777216, kernel: 32768, padding: 32768}\n",
       "m.yaml:6: layer 'convolution3': more numbers and multiply-adds than any machine could handle"},
  };
  for (const auto& [text, expected] : kCases) {
    EXPECT_NE(refusal(text).find(expected), std::string::npos) << text << refusal(text);
  }
}

TEST(ModelFile, MistakesAreNamedWhereTheUserMadeThem) {
  const auto refused = [](const std::string& text) {
    try {
      read_model(text, "m.yaml", 10);
    } catch (const BadInput& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused("name: a\nbase: resnet20\nparameters: {blocks: x}\n"),
            "m.yaml:3: 'repeat': expected an integer from 0 to 1000, found 'x'");
  EXPECT_EQ(
      refused("name: a\nbase: resnet20\nparameters: {blocsk: 4}\n"),
      "m.yaml:3: nothing in the model reads a parameter 'blocsk'; expected one that stands there as $blocsk");
  EXPECT_EQ(refused(""), "m.yaml: no model; expected the keys name, image and layers");
  EXPECT_EQ(refused("[relu]\n"), "m.yaml: no model; expected the keys name, image and layers");
  const std::string sixty(60, 'x');
  const std::string all =
      concat(kHead, "blocks: {", sixty, ": [relu: {name: ", sixty, "}]}\nlayers: [", sixty, "]\n");
  EXPECT_NE(refused(all).find("is longer than 100 letters"), std::string::npos) << refused(all);
}

TEST(ModelFile, ClassesStayOpenWhateverHandsThemOn) {
  const std::string text = concat(kHead, "blocks: {head: [linear: {name: fc, outputs: $wide}]}\n",
                                  "layers:\n  - head: {name: head, wide: $classes}\n");
  EXPECT_NE(flat_text(text, "m").find("outputs: $classes"), std::string::npos) << flat_text(text, "m");
  EXPECT_EQ(lower(read_model(text, "m", 9), {1, 3, 8, 8}, false).nodes.back().output.c, 9);
}

TEST(ModelFile, NamesThatYamlTakesForSomethingElseComeBack) {
  const std::string text =
      concat(kHead, "layers:\n  - relu: {name: \"null\"}\n  - tanh: {name: \"1\", from: \"null\"}\n");
  const std::string flat = flat_text(text, "m");
  EXPECT_EQ(layers_of(read_model(flat, "flat", 2)), (std::vector<std::string>{"null 0", "1 1"}));
}

TEST(ModelFile, TheEndMustFitTheClasses) {
  const auto check = [](const std::string& text) {
    check_classifies(lower(read(text), {2, 3, 8, 8}, false), "mine", 7);
  };
  EXPECT_NO_THROW(check("layers: [linear: {outputs: 7}]\n"));
  EXPECT_THROW(check("layers: [linear: {outputs: 6}]\n"), BadInput);
  for (const bool quantized : {false, true}) {  // whatever stands behind it is nobody's
    try {
      check_classifies(lower(read("layers:\n  - linear: {name: fc, outputs: 6}\n"), {2, 3, 8, 8}, quantized),
                       "mine", 7);
      FAIL() << "expected BadInput";
    } catch (const BadInput& error) {
      EXPECT_NE(std::string(error.what()).find("m.yaml:4: layer 'fc', the last one, makes"),
                std::string::npos)
          << error.what();
    }
  }
  EXPECT_THROW(check("layers: [convolution: {channels: 7, kernel: 3}]\n"), BadInput);
  EXPECT_THROW(
      check_classifies(lower(read("layers: [global_average_pool]\n"), {2, 3, 8, 8}, false), "mine", 3),
      BadInput);
}

TEST(ModelFile, NeedsANameAndAnImage) {
  EXPECT_THROW(read_model("layers: [relu]\n", "m", 2), BadInput);
  EXPECT_THROW(read_model("name: a\nlayers: [relu]\n", "m", 2), BadInput);
  EXPECT_THROW(read_model("name: a\nimage: [0, 1, 1]\nlayers: [relu]\n", "m", 2), BadInput);
}

TEST(ModelFile, EveryKindIsTaken) {
  for (const ops::Kind& kind : ops::kKinds) {
    EXPECT_EQ(refusal(concat("layers: [", kind.name, "2]\n")).find("accepted"), std::string::npos);
    EXPECT_EQ(refusal(concat("layers: [", kind.name, "]\n")).find("unknown operation"), std::string::npos)
        << kind.name;
  }
}

}  // namespace
}  // namespace adapt
