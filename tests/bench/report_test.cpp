#include "bench/report.hpp"

#include <gtest/gtest.h>

namespace adapt {
namespace {

BenchResult result(const std::string& engine, const std::vector<double>& seconds,
                   const std::vector<Part>& parts = {}) {
  return {{{"engine", engine}, {"batch", std::int64_t{6}}}, 6, {seconds, parts}};
}

/// Two engines with hand-computed figures: 6 images in 2, 1 and 3 s, and in 1, 4 and 1 s.
BenchReport sample() {
  return {"step",
          "images",
          "engine",
          {{result("slow", {2, 1, 3}, {{"phases", "forward", 0.5}, {"layers", "conv1", 0.25}}),
            result("fast", {1, 4, 1}, {{"phases", "forward", 0.125}, {"phases", "quantize", 0.5}})}}};
}

TEST(BenchReport, RatesAreMediansOfTheRepetitions) {
  const auto group = sample().groups.front();
  EXPECT_EQ(items_per_second(group[0]), 3);
  EXPECT_EQ(items_per_second(group[1]), 6);
  const Spread rounds = ratio_rounds(group[1], group[0]);
  EXPECT_EQ(rounds.minimum, 0.25);
  EXPECT_EQ(rounds.median, 2);
  EXPECT_EQ(rounds.maximum, 3);
}

TEST(BenchReport, LabelsAsText) {
  const BenchResult one = sample().groups[0][0];
  EXPECT_EQ(label_text(one, "engine"), "slow");
  EXPECT_EQ(label_text(one, "batch"), "6");
  EXPECT_EQ(label_text(one, "color"), "");
}

TEST(BenchReport, Json) {
  EXPECT_EQ(bench_json(sample()), R"({
  "benchmark": "step",
  "results": [
    {
      "engine": "slow",
      "batch": 6,
      "images_per_second": 3.0,
      "seconds": {
        "median": 2.0,
        "min": 1.0,
        "max": 3.0
      },
      "repeats": 3,
      "phases": {
        "forward": 0.5
      },
      "layers": {
        "conv1": 0.25
      }
    },
    {
      "engine": "fast",
      "batch": 6,
      "images_per_second": 6.0,
      "seconds": {
        "median": 1.0,
        "min": 1.0,
        "max": 4.0
      },
      "repeats": 3,
      "phases": {
        "forward": 0.125,
        "quantize": 0.5
      }
    }
  ],
  "ratios": [
    {
      "engine": "fast",
      "batch": 6,
      "against": "slow",
      "ratio": 2.0,
      "rounds": {
        "median": 2.0,
        "min": 0.25,
        "max": 3.0
      }
    }
  ]
}
)");
}

TEST(BenchReport, TableShowsAPartThatOnlyOneContenderHas) {
  EXPECT_EQ(bench_table(sample()),
            "engine  batch  images/s  ms median       min       max  ratio       rounds\n"
            "slow    6             3   2000.000  1000.000  3000.000  1.000  1.000-1.000\n"
            "fast    6             6   1000.000  1000.000  4000.000  2.000  0.250-3.000\n"
            "\n"
            "phases (ms)     slow     %     fast     %\n"
            "forward      500.000  25.0  125.000  12.5\n"
            "quantize           -     -  500.000  50.0\n"
            "\n"
            "layers (ms)     slow     %  fast  %\n"
            "conv1        250.000  12.5     -  -\n");
}

}  // namespace
}  // namespace adapt
