#include "train/calibration.hpp"

#include <algorithm>
#include <vector>

#include "base/aligned.hpp"
#include "base/phase.hpp"
#include "base/stop_signal.hpp"
#include "base/threads.hpp"
#include "data/loader.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

/// Enough for the largest magnitudes to be near those of a batch; they are corrected after the first step.
constexpr int kImages = 8;

}  // namespace

void calibrate(const TrainerOptions& options, const DataSplits& data,
               const std::shared_ptr<ModelState>& state, Controller& controller) {
  phase::begin("calibrate");
  check_stop();
  const int images = std::min(kImages, options.training.batch / options.training.shards);
  const Graph graph = make_graph(options, data, images);
  Network network = make_network(options, graph, state, /*training=*/true);
  AlignedVector<float> pixels(static_cast<std::size_t>(images * data.train->shape().elements()));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(images));
  read_images(*data.train, data.normalization, 0, pixels, labels);
  controller.calibrate([&](const PrecisionPlan& plan, std::vector<LayerMaxima>& maxima) {
    Pass pass;
    pass.seed = options.seed;
    pass.plan = &plan;
    pass.maxima = &maxima;
    pass.names_not_finite = true;  // once, so that it costs nothing to speak of
    // The scales must not depend on the threads, which float32 sums do.
    set_threads(1);
    phase::begin("calibrate");
    network.forward(pixels, labels, pass);
    check_stop();
    phase::begin("calibrate");
    network.backward(pass);
    set_threads(options.training.threads);
  });
}

}  // namespace adapt
