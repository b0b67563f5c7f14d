// What a wrong experiment file is told: exact messages.

#include <gtest/gtest.h>

#include "experiment/known.hpp"

namespace adapt {
namespace {

using test::refusal;

TEST(Refusal, UnknownKeys) {
  EXPECT_EQ(refusal("training:\n  epoch: 3\n"),
            "a.yaml:2: unknown key 'epoch' in 'training'; did you mean 'epochs'?");
  EXPECT_EQ(refusal("trainning: {epochs: 3}"), "a.yaml:1: unknown key 'trainning'; did you mean 'training'?");
  EXPECT_EQ(refusal("seed: 1\nepochs: 3\n"),
            "a.yaml:2: unknown key 'epochs'; did you mean 'training.epochs'?");
  EXPECT_EQ(refusal("record: {zzzzzz: 3}"),
            "a.yaml:1: unknown key 'zzzzzz' in 'record'; expected one of layer_interval, flush_seconds");
  EXPECT_EQ(
      refusal("zzzzzz: 3"),
      "a.yaml:1: unknown key 'zzzzzz'; expected one of name, seed, model, engine, exchange, data, training, "
      "precision, record, checkpoint, mpi, base");
  EXPECT_EQ(refusal("training.epochs: 3"),
            "a.yaml:1: unknown key 'training.epochs'; write it as training: {epochs: ...}");
  EXPECT_EQ(refusal("? [a]\n: 3"),
            "a.yaml:1: a key that is not a word; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("~: 3"), "a.yaml:1: a key that is not a word; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("base: b.yaml"),
            "a.yaml:1: 'base' works in files only; this text has no folder to look in");
}

TEST(Refusal, DuplicateKeys) {
  EXPECT_EQ(refusal("seed: 1\nname: a\nseed: 2\n"), "a.yaml:3: duplicate key 'seed'; first in line 1");
  EXPECT_EQ(refusal("training:\n  epochs: 1\n  epochs: 1\n"),
            "a.yaml:3: duplicate key 'training.epochs'; first in line 2");
  EXPECT_EQ(refusal("engine: emulated\nengine: {name: emulated}\n"),
            "a.yaml:2: duplicate key 'engine'; first in line 1");
}

TEST(Refusal, Integers) {
  const std::string expected = "a.yaml:1: 'training.epochs': expected an integer from 1 to 100000, found ";
  for (const std::string value : {"ten", "1e2", "1.0", "0x10", "017", "1_000", "+3", "--3", "-", "-1", "0",
                                  "100001", "99999999999999999999", "true", ".inf", "3 4"}) {
    EXPECT_EQ(refusal("training: {epochs: " + value + "}"), expected + "'" + value + "'");
  }
  EXPECT_EQ(refusal("training: {epochs: \"3\"}"), expected + "the text '3'");
  EXPECT_EQ(refusal("training: {epochs: !!int 3}"), expected + "a tagged value '3'");
  EXPECT_EQ(refusal("training: {epochs: [3]}"), expected + "a list");
  EXPECT_EQ(refusal("training: {epochs: {a: 3}}"), expected + "a mapping");
  EXPECT_EQ(refusal("training: {epochs: }"), expected + "nothing");
  EXPECT_EQ(refusal("training: {epochs: ~}"), expected + "nothing");
  EXPECT_EQ(refusal("seed: -1"),
            "a.yaml:1: 'seed': expected an integer from 0 to 9223372036854775807, found '-1'");
}

TEST(Refusal, Numbers) {
  const std::string expected = "a.yaml:1: 'training.l1': expected a number from 0 to 1, found ";
  for (const std::string value : {"1e400", "1e-400", "nan", ".nan", ".inf", "inf", "-.inf", "0x1p3", "1,5",
                                  "-0.1", "1.1", "1e", "e1", "."}) {
    EXPECT_EQ(refusal("training:\n  l1: " + value + "\n"),
              "a.yaml:2" + expected.substr(8) + "'" + value + "'");
  }
  EXPECT_EQ(refusal("training: {learning_rate: 0}"),
            "a.yaml:1: 'training.learning_rate': expected a number above 0 to 1000, found '0'");
  EXPECT_EQ(refusal("training: {momentum: 1}"),
            "a.yaml:1: 'training.momentum': expected a number from 0 to below 1, found '1'");
  EXPECT_EQ(refusal("training: {l1: 1}"), "accepted") << "an integer is a number";
}

TEST(Refusal, BooleansNamesAndLists) {
  EXPECT_EQ(refusal("training: {penalty: 1}"),
            "a.yaml:1: 'training.penalty': expected true or false, found '1'");
  EXPECT_EQ(refusal("training: {penalty: 'true'}"),
            "a.yaml:1: 'training.penalty': expected true or false, found the text 'true'");
  EXPECT_EQ(refusal("model: lenet"),
            "a.yaml:1: 'model.name': expected one of lenet5, alexnet, resnet20; found "
            "'lenet'; did you mean 'lenet5'?");
  EXPECT_EQ(refusal("data: {name: imagenet}"),
            "a.yaml:1: 'data.name': expected one of mnist, cifar10, procedural; found 'imagenet'");
  EXPECT_EQ(refusal("precision: {policy: [adapt]}"),
            "a.yaml:1: 'precision.policy': expected one of float32, fixed, adapt, muppet, found a list");
  EXPECT_EQ(refusal("training: {normalize: true}"),
            "a.yaml:1: 'training.normalize': expected one of auto, yes, no, tensor, relative; found 'true'");
  EXPECT_EQ(
      refusal("name: a/b"),
      "a.yaml:1: 'name': expected a name of at most 100 letters, digits, '.', '_' and '-', found 'a/b'");
  EXPECT_EQ(
      refusal("name: '" + std::string(101, 'a') + "'"),
      "a.yaml:1: 'name': expected a name of at most 100 letters, digits, '.', '_' and '-', found the text '" +
          std::string(60, 'a') + "...'");
  EXPECT_EQ(refusal("data: {path: \"a\\nb\"}"),
            "a.yaml:1: 'data.path': expected a path (\"\" for an empty one), found the text 'a\\nb'");
  const std::string list =
      "a.yaml:1: 'training.schedule.milestones': expected a list of ascending integers from 1 to "
      "100000 such as [10, 15], found ";
  EXPECT_EQ(refusal("training: {schedule: {milestones: 3}}"), list + "'3'");
  EXPECT_EQ(refusal("training: {schedule: {milestones: [3, 3]}}"), list + "'3'");
  EXPECT_EQ(refusal("training: {schedule: {milestones: [0]}}"), list + "'0'");
  EXPECT_EQ(refusal("training: {schedule: {milestones: [[1]]}}"), list + "a list");
}

TEST(Refusal, NamesOfEnumerations) {
  EXPECT_EQ(refusal("engine: integre"),
            "a.yaml:1: 'engine.name': expected one of float32, bfloat16, emulated, integer, auto; found "
            "'integre'; did you mean 'integer'?");
  EXPECT_EQ(refusal("engine: {rounding: up}"),
            "a.yaml:1: 'engine.rounding': expected one of stochastic, nearest; found 'up'");
  EXPECT_EQ(refusal("exchange: int4"),
            "a.yaml:1: 'exchange.encoding': expected one of exact, layer, int8, int16, float32, auto; found "
            "'int4'; did you mean 'int8'?");
  EXPECT_EQ(refusal("precision: adpat"),
            "a.yaml:1: 'precision.policy': expected one of float32, fixed, adapt, muppet; found 'adpat'; did "
            "you mean 'adapt'?");
  EXPECT_EQ(
      refusal("precision: {adapt: {strategy: mea}}"),
      "a.yaml:1: 'precision.adapt.strategy': expected one of min, mean, max, adaptive; found 'mea'; did "
      "you mean 'mean'?");
  EXPECT_EQ(refusal("training: {schedule: parabola}"),
            "a.yaml:1: 'training.schedule.name': expected one of constant, cosine, linear, multi_step, "
            "reduce_on_plateau; found 'parabola'");
  EXPECT_EQ(refusal("data: {augmentation: flip}"),
            "a.yaml:1: 'data.augmentation': expected one of none, crop, crop_flip; found 'flip'");
}

TEST(Refusal, WhatAPolicyWouldRefuse) {
  EXPECT_EQ(refusal("seed: 1", {"precision.adapt.buffer_bits=31"}),
            "--set precision.adapt.buffer_bits=31: 'precision.adapt.buffer_bits': expected an integer from 0 "
            "to 30, found '31'");
  EXPECT_EQ(refusal("seed: 1", {"precision.fixed.fractional_length=40"}),
            "--set precision.fixed.fractional_length=40: 'precision.fixed.fractional_length': expected an "
            "integer from -96 to 32, found '40'");
}

TEST(Refusal, SectionsThatAreNoMappings) {
  EXPECT_EQ(
      refusal("training: 3"),
      "a.yaml:1: 'training': expected a mapping with the keys epochs, target_accuracy, batch, accumulate, "
      "shards, threads, learning_rate, momentum, weight_decay, l1, label_smoothing, decayed, normalize, "
      "penalty, test_batch, final_epochs, schedule");
  EXPECT_EQ(refusal("record:\n"),
            "a.yaml:1: 'record': expected a mapping with the keys layer_interval, flush_seconds");
  EXPECT_EQ(refusal("model: [lenet5]"),
            "a.yaml:1: 'model': expected a mapping with the keys name, init_scale, file, weights");
}

TEST(Refusal, WholeFiles) {
  EXPECT_EQ(refusal(""), "a.yaml: empty; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("# only a comment\n"), "a.yaml: empty; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("---\n"), "a.yaml: empty; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("\n- a\n"), "a.yaml:2: a list; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("lenet5"), "a.yaml:1: a single value; expected keys such as 'model: lenet5'");
  EXPECT_EQ(refusal("seed: 1\n---\nseed: 2\n"),
            "a.yaml:2: a second YAML document or a stray character; expected one document");
  EXPECT_EQ(refusal("{seed: 1}\n,"),
            "a.yaml:2: a second YAML document or a stray character; expected one document");
  EXPECT_EQ(refusal("seed: 1\n\nname: \xff\n"), "a.yaml:3: byte 15 is not UTF-8; expected a YAML text file");
  EXPECT_EQ(refusal(std::string("\x89HDF\r\n\x1a\n")),
            "a.yaml:1: byte 0 is not UTF-8; expected a YAML text file");
  EXPECT_EQ(refusal(std::string("\x7f"
                                "ELF\x02\x01\x01\0",
                                8)),
            "a.yaml:1: byte 4 is a control character; expected a YAML text file");
  EXPECT_EQ(refusal("seed: 1\ntraining:\n\tepochs: 1\n"),
            "a.yaml:3: not valid YAML: a tab in the indentation; expected spaces");
  EXPECT_EQ(refusal("training: {epochs: 1\n"), "a.yaml:2: not valid YAML: unexpected end (column 1)");
  EXPECT_EQ(refusal("name: a\n seed: 1\n"), "a.yaml:2: not valid YAML: unexpected ': 1' (column 6)");
  EXPECT_EQ(refusal("name: \"a\" b\r\n"), "a.yaml:1: not valid YAML: unexpected 'b' (column 11)");
  EXPECT_EQ(refusal(std::string(5000, '[')), "a.yaml:1: nested too deeply; expected at most three levels");
  EXPECT_EQ(refusal("seed: *nowhere"), "a.yaml:1: not valid YAML: unexpected '*nowhere' (column 7)");
}

TEST(Refusal, Utf8IsCheckedToTheLetter) {
  for (const std::string bad : {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "\xf5\x80\x80\x80", "\x80", "\xe2\x82", "\xc3"}) {
    EXPECT_EQ(refusal("# " + bad), "a.yaml:1: byte 2 is not UTF-8; expected a YAML text file");
  }
  EXPECT_EQ(refusal("# \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 \xed\x9f\xbf\nseed: 1"), "accepted");
  EXPECT_EQ(refusal("\xef\xbb\xbfseed: 1"), "accepted") << "a byte order mark";
  EXPECT_EQ(refusal("seed: 1\r\nname: a\r\n"), "accepted") << "line ends of Windows";
}

TEST(Refusal, Overrides) {
  const auto message = [](const std::string& override) { return refusal("{}", {override}); };
  EXPECT_EQ(
      message("training.epochs=ten"),
      "--set training.epochs=ten: 'training.epochs': expected an integer from 1 to 100000, found 'ten'");
  EXPECT_EQ(message("training.epoch=3"),
            "--set training.epoch=3: unknown key 'training.epoch'; did you mean 'training.epochs'?");
  EXPECT_EQ(message("epochs=3"), "--set epochs=3: unknown key 'epochs'; did you mean 'training.epochs'?");
  EXPECT_EQ(message("zz=3"), "--set zz=3: unknown key 'zz'; 'adapt train --help-keys' lists all keys");
  EXPECT_EQ(message("training.epochs"),
            "--set training.epochs: expected key=value such as training.epochs=3");
  EXPECT_EQ(message("=3"), "--set =3: expected key=value such as training.epochs=3");
  EXPECT_EQ(message(""), "--set : expected key=value such as training.epochs=3");
  EXPECT_EQ(message("training={epochs: 3}"),
            "--set training={epochs: 3}: expected a value or a list; set one key at a time, such as "
            "training.epochs=3");
  EXPECT_EQ(message("training=3").substr(0, 54), "--set training=3: 'training': expected a mapping with ");
  EXPECT_EQ(message("training.epochs="),
            "--set training.epochs=: 'training.epochs': expected an integer from 1 to 100000, found nothing");
  EXPECT_EQ(message("training.schedule.milestones=[1"),
            "--set training.schedule.milestones=[1: not valid YAML: unexpected '[1' (column 1)");
  EXPECT_EQ(message("name=\xff"), "--set name=\\xff: byte 0 is not UTF-8; expected a YAML text file");
  EXPECT_EQ(message("seed=1\n"), "accepted");
  EXPECT_EQ(message("a\nb=1"),
            "--set a\\nb=1: unknown key 'a\\nb'; 'adapt train --help-keys' lists all keys");
}

TEST(Refusal, SettingsThatContradictEachOther) {
  EXPECT_EQ(refusal("seed: 1\ntraining:\n  batch: 100\n"),
            "a.yaml:3: training.batch is 100, not a multiple of training.shards (8); expected for example 96 "
            "or 104");
  EXPECT_EQ(refusal("training: {batch: 4}"),
            "a.yaml:1: training.batch is 4, not a multiple of training.shards (8); expected for example 8");
  EXPECT_EQ(
      refusal("{}", {"training.shards=6"}),
      "--set training.shards=6: training.batch is 256, not a multiple of training.shards (6); expected for "
      "example 252 or 258");
  EXPECT_EQ(refusal("training: {epochs: 5, schedule: {warmup_epochs: 5}}"),
            "a.yaml:1: training.schedule.warmup_epochs is 5; expected less than training.epochs (5)");
  EXPECT_EQ(refusal("training: {epochs: 5, schedule: {warmup_epochs: 4.9}}"), "accepted");
  EXPECT_EQ(refusal("training: {schedule: multi_step}"),
            "a.yaml:1: training.schedule.name is multi_step without milestones; expected "
            "training.schedule.milestones such as [10, 15]");
  EXPECT_EQ(
      refusal("data: {train_samples: 255}"),
      "a.yaml:1: data.train_samples is 255; expected 0 (all) or at least 256: 256 images for an optimizer "
      "step (training.batch x training.accumulate), else an epoch has no step");
  EXPECT_EQ(refusal("data: {train_samples: 256}"), "accepted");
  EXPECT_EQ(refusal("precision:\n  adapt: {lookback_lower: 101}\n"),
            "a.yaml:2: precision.adapt.lookback_lower is 101; expected at most "
            "precision.adapt.lookback_upper (100)");
  EXPECT_EQ(refusal("precision: {adapt: {resolution_upper: 49}}"),
            "a.yaml:1: precision.adapt.resolution_lower is 50; expected at most "
            "precision.adapt.resolution_upper (49)");
}

TEST(Refusal, Accumulation) {
  EXPECT_EQ(refusal("training: {shards: 8, accumulate: 513}"),
            "a.yaml:1: training.shards x training.accumulate is 4104; expected at most 4096");
  EXPECT_EQ(refusal("training: {shards: 8, accumulate: 512}"), "accepted");
  EXPECT_EQ(refusal("training: {batch: 1048576, shards: 1, accumulate: 1024}"),
            "a.yaml:1: training.batch x training.accumulate is 1073741824; expected at most 1000000000");
  EXPECT_EQ(
      refusal("{data: {train_samples: 511}, training: {accumulate: 2}}"),
      "a.yaml:1: data.train_samples is 511; expected 0 (all) or at least 512: 512 images for an optimizer "
      "step (training.batch x training.accumulate), else an epoch has no step");
  EXPECT_EQ(refusal("{data: {train_samples: 512}, training: {accumulate: 2}}"), "accepted");
}

TEST(Refusal, Folds) {
  EXPECT_EQ(
      refusal("data: {folds: 1}"),
      "a.yaml:1: data.folds is 1, which leaves nothing to train on; expected 0 (no cross validation) or "
      "at least 2");
  EXPECT_EQ(refusal("data: {folds: 10, fold: 10}"),
            "a.yaml:1: data.fold is 10; expected 0..9 (data.folds is 10)");
  EXPECT_EQ(refusal("data: {folds: 10, fold: 9}"), "accepted");
  EXPECT_EQ(refusal("data: {fold: 1}"),
            "a.yaml:1: data.fold is 1; expected data.folds: 10 or so with it, or 0");
  // 285 images in ten folds: 28 or 29 are tested on.
  EXPECT_EQ(
      refusal("data: {folds: 10, train_samples: 284}"),
      "a.yaml:1: data.train_samples is 284; expected 0 (all) or at least 285: 256 images for an optimizer "
      "step (training.batch x training.accumulate) beside the fold to test on, else an epoch has no step");
  EXPECT_EQ(refusal("data: {folds: 10, train_samples: 285}"), "accepted");
}

TEST(Refusal, PoliciesNeedAnEngineThatExecutesFormats) {
  EXPECT_EQ(
      refusal("seed: 1\nprecision: adapt\n"),
      "a.yaml:2: precision.policy 'adapt' needs an engine that executes formats, and engine.name is float32; "
      "expected engine.name: emulated, integer or auto");
  EXPECT_EQ(refusal("precision: adapt\nengine: emulated\n"), "accepted");
  EXPECT_EQ(refusal("precision: float32\nengine: emulated\n"), "accepted");
  EXPECT_EQ(refusal("precision: float32\nengine: float32\n"), "accepted");
}

TEST(Refusal, MuppetNeedsItsMechanism) {
  const std::string head = "engine: emulated\nprecision:\n  policy: muppet\n";
  EXPECT_EQ(
      refusal(head),
      "a.yaml:3: precision.formats is per_layer, and precision.policy muppet scales each tensor; expected "
      "per_tensor");
  EXPECT_EQ(
      refusal(head + "  formats: per_tensor\n"),
      "a.yaml:3: precision.backward is float32, and precision.policy muppet quantizes the gradients that "
      "flow back; expected quantized");
  const std::string whole = head + "  formats: per_tensor\n  backward: quantized\n";
  EXPECT_EQ(refusal(whole), "accepted");
  EXPECT_EQ(refusal(whole + "  muppet: {levels: []}\n"),
            "a.yaml:6: precision.muppet.levels is empty; expected word lengths such as [8, 12]");
  EXPECT_EQ(refusal(whole + "training: {schedule: {origin: final_phase}}\n"), "accepted");
  EXPECT_EQ(refusal("training: {schedule: {origin: final_phase}}"),
            "a.yaml:1: training.schedule.origin is final_phase, and precision.policy 'float32' has none; "
            "expected run, or precision.policy: muppet");
}

TEST(Refusal, LayerEncodingNeedsQuantizedGradients) {
  EXPECT_EQ(
      refusal("exchange: layer"),
      "a.yaml:1: exchange.encoding 'layer' sends gradients in their layer's format, and they have none; "
      "expected a precision.policy other than float32, or exchange.encoding: exact");
  EXPECT_EQ(
      refusal("{engine: emulated, precision: {policy: fixed, quantize: {gradients: no}}, exchange: layer}"),
      "a.yaml:1: exchange.encoding 'layer' sends gradients in their layer's format, and they have none; "
      "expected precision.quantize.gradients: true, or exchange.encoding: exact");
  EXPECT_EQ(refusal("{engine: emulated, precision: fixed, exchange: layer}"), "accepted");
}

TEST(Refusal, ErrorFeedbackNeedsScaledIntegers) {
  EXPECT_EQ(refusal("exchange: {encoding: exact, error_feedback: yes}"),
            "a.yaml:1: exchange.error_feedback is true, and exchange.encoding 'exact' has none; expected "
            "exchange.encoding: int8 or int16, or false");
  EXPECT_EQ(refusal("exchange: {encoding: int8, error_feedback: yes}"), "accepted");
}

}  // namespace
}  // namespace adapt
