#include "nn/executor.hpp"

#include "base/stop_signal.hpp"
#include "base/stopwatch.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {

void Executor::run(std::size_t step, Step::Work Step::*work, double LayerSeconds::*direction, Pass& pass) {
  if (pass.heeds_stop) {
    check_stop();
  }
  if (!(steps_[step].*work)) {
    return;
  }
  const auto work_off = [&] { onednn::translated([&] { (steps_[step].*work)(pass); }); };
  if (seconds_.empty()) {
    work_off();
    return;
  }
  const Stopwatch watch;
  work_off();
  onednn::stream().wait();
  seconds_[step].*direction += watch.seconds();
}

void Executor::forward(Pass& pass) {
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    run(step, &Step::forward, &LayerSeconds::forward, pass);
  }
}

double Executor::backward(Pass& pass, const GradientsReady& ready) {
  double elsewhere = 0;
  std::size_t last = 0;
  for (const Step& step : steps_) {
    last += step.parameters;
  }
  for (std::size_t step = steps_.size(); step-- > 0;) {
    run(step, &Step::backward, &LayerSeconds::backward, pass);
    const std::size_t parameters = steps_[step].parameters;
    if (ready && parameters > 0) {
      const Stopwatch away;
      ready(last - parameters, last);
      elsewhere += away.seconds();
    }
    last -= parameters;
  }
  return elsewhere;
}

void Executor::count_steps() {
  seconds_.clear();
  for (const Step& step : steps_) {
    seconds_.push_back({step.name, 0, 0});
  }
}

}  // namespace adapt
