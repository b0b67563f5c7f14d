#include "cli/resume.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/command.hpp"

namespace adapt::cli {
namespace {

constexpr const char* kResumptions = "resumptions";

void check_experiment(const RunFile& earlier, const std::filesystem::path& run_dir,
                      const Configuration& configuration) {
  const Configuration started = parse_configuration(
      earlier.configuration(), (run_dir / "run.h5").string() + ":/config", {}, known_names());
  const std::string difference = identity_difference(started, configuration);
  if (!difference.empty()) {
    throw BadInput(concat("cannot resume ", run_dir, ": it was started with another value of ", difference,
                          "; expected the same experiment, or another --out"));
  }
}

void check_data(const RunFile& earlier, const std::filesystem::path& run_dir, const DataSplits& data) {
  const auto& provenance = earlier.provenance();
  const auto check = [&](const char* name, const std::string& now) {
    const auto found = provenance.find(name);
    if (found != provenance.end() && found->second != now) {
      throw BadInput(concat("cannot resume ", run_dir, ": the data changed: ", name, " was ", found->second,
                            ", is ", now, "; expected the data that it was started with"));
    }
  };
  check("dataset_train_sha256", data.train->checksum());
  check("dataset_test_sha256", data.test->checksum());
}

void check_log(const RunFile& earlier, const std::filesystem::path& run_dir, std::int64_t step) {
  const auto& steps = earlier.steps();
  const std::int64_t last = steps.empty() ? 0 : steps.back().step;
  if (last < step) {
    throw BadInput(concat(
        "cannot resume ", run_dir, ": its run.h5 ends at step ", last, ", before its checkpoint of step ",
        step, "; expected both from one run, or --overwrite in place of --resume to start again"));
  }
}

}  // namespace

ResumePoint find_resume_point(const std::filesystem::path& run_dir, const Configuration& configuration,
                              const DataSplits& data, CheckpointFolder& checkpoints,
                              std::uintmax_t most_bytes) {
  ResumePoint point;
  std::error_code ignored;
  if (!std::filesystem::exists(run_dir / "run.h5", ignored) && checkpoints.empty()) {
    log_info(concat("nothing to resume in ", run_dir, ": starts from the beginning"));
    return point;
  }
  auto earlier = std::make_unique<RunFile>(run_dir);
  check_experiment(*earlier, run_dir, configuration);
  point.done = earlier->done();
  if (point.done) {
    return point;
  }
  if (earlier->done_mark() == Done::foreign) {
    log_warning(concat("DONE in ", run_dir, " does not belong to its run.h5, which counts as not finished"));
  }
  check_data(*earlier, run_dir, data);
  point.checkpoint = checkpoints.newest(most_bytes);
  if (!point.checkpoint) {
    log_info(concat(run_dir, " holds no checkpoint yet: starts from the beginning"));
    return point;
  }
  check_log(*earlier, run_dir, point.checkpoint->step);
  point.earlier = std::move(earlier);
  return point;
}

void broadcast(ResumePoint& point, const mpi::Communicator& ranks) {
  point.done = ranks.broadcast(point.done ? "done" : "") == "done";
  std::string text;
  if (point.checkpoint) {
    const std::vector<std::byte> bytes = encode(*point.checkpoint);
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  text = ranks.broadcast(text);
  if (ranks.rank() != 0 && !text.empty()) {
    point.checkpoint = decode(std::as_bytes(std::span(text)));
  }
}

void note_resumption(std::map<std::string, std::string>& provenance, const ResumePoint& point) {
  const auto& before = point.earlier->provenance();
  const auto earlier = before.find(kResumptions);
  provenance[kResumptions] =
      concat(earlier == before.end() ? "" : earlier->second + "; ", "step ", point.checkpoint->step, " on ",
             provenance.at("ranks"), provenance.at("ranks") == "1" ? " rank" : " ranks");
  const auto sets = before.find("rank_instruction_sets");
  if (sets != before.end() && sets->second != provenance.at("rank_instruction_sets")) {
    provenance[kResumptions] += concat(" (until then ", sets->second, ")");
  }
  if (before.count("start_time") != 0) {
    provenance["start_time"] = before.at("start_time");
  }
}

}  // namespace adapt::cli
