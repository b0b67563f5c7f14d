#include "experiment/submission.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/process.hpp"

namespace adapt {
namespace {

constexpr const char* kFolder = "submissions";
constexpr const char* kSuffix = ".json";
/// 100,000 runs take 10 MB.
constexpr std::uintmax_t kLargest = std::uintmax_t{1} << 28U;

std::string to_json(const Submission& submission) {
  Json runs = Json::array();
  for (const Submission::Run& run : submission.runs) {
    runs.push_back({{"identity", run.identity}, {"label", run.label}});
  }
  return json_text({{"id", submission.id},
                    {"time", submission.time},
                    {"job", submission.job},
                    {"chunk", submission.chunk},
                    {"pack", submission.pack},
                    {"ranks", submission.ranks},
                    {"threads", submission.threads},
                    {"launch", submission.launch},
                    {"prune", submission.prune ? to_json(*submission.prune) : Json()},
                    {"program", submission.program},
                    {"runs", runs}});
}

[[noreturn]] void throw_damaged(const std::filesystem::path& path) {
  throw BadInput(concat(path, ": damaged; expected a submission as adapt sweep --submit writes it"));
}

Submission read(const std::filesystem::path& path) {
  const Json json = parse_json(read_text(path, kLargest), path.string());
  Submission submission;
  submission.id = text_of(json, "id");
  submission.time = text_of(json, "time");
  submission.job = text_of(json, "job");
  submission.program = text_of(json, "program");
  const auto number = [&](const char* name, std::int64_t least, int without) {
    const std::int64_t value = integer_of(json, name).value_or(without);
    if (value < least || value > std::numeric_limits<int>::max()) {
      throw_damaged(path);
    }
    return static_cast<int>(value);
  };
  submission.chunk = number("chunk", 1, 0);
  submission.pack = number("pack", kAutoPack, 1);
  submission.ranks = number("ranks", 1, 1);
  submission.threads = number("threads", 1, 1);
  submission.launch = text_of(json, "launch");
  if (const Json* prune = find_member(json, "prune")) {
    submission.prune = pruning_from(*prune);
  }
  if (const Json* runs = find_member(json, "runs")) {
    for (const Json& run : *runs) {
      submission.runs.push_back({text_of(run, "identity"), text_of(run, "label")});
    }
  }
  const bool known_job = submission.job.find_first_not_of("0123456789") == std::string::npos;
  const bool whole = std::all_of(submission.runs.begin(), submission.runs.end(),
                                 [](const Submission::Run& run) { return is_identity(run.identity); });
  if (submission.runs.empty() || !whole || !known_job) {
    throw_damaged(path);
  }
  return submission;
}

int ceil_divide(std::size_t a, int b) {
  return static_cast<int>((a + static_cast<std::size_t>(b) - 1) / static_cast<std::size_t>(b));
}

}  // namespace

void write_submission_file(const std::filesystem::path& path, const std::string& text) {
  Folder(path.parent_path(), Folder::Links::refused).write(path.filename(), std::as_bytes(std::span(text)));
}

int Submission::tasks() const { return ceil_divide(runs.size(), chunk); }

int chunk_size(std::size_t runs, int chunk, int max_array_size) {
  return std::max(chunk, ceil_divide(runs, max_array_size));
}

std::filesystem::path submission_path(const RunStore& store, const std::string& id, const char* suffix) {
  return store.path() / kFolder / (id + suffix);
}

void make_submissions_folder(const RunStore& store) { make_own_folder(store.path() / kFolder); }

Submission freeze(const RunStore& store, const Grid& grid, const std::vector<GridRun>& runs, int chunk,
                  int threads, const std::string& program) {
  make_submissions_folder(store);
  const Folder folder(store.path() / kFolder, Folder::Links::refused);
  Submission submission;
  submission.time = utc_now();
  submission.chunk = chunk;
  submission.pack = grid.slurm.pack;
  submission.ranks = grid.slurm.ranks_per_node;
  submission.threads = threads;
  submission.launch = grid.slurm.launch;
  submission.prune = grid.prune;
  submission.program = program;
  for (const GridRun& run : runs) {
    submission.runs.push_back({run.identity, run.label});
  }
  std::string json;
  int number = 0;
  do {
    submission.id = concat(grid.name, "-", ++number);
    json = to_json(submission);
  } while (!folder.create(submission.id + kSuffix, std::as_bytes(std::span(json))));
  return submission;
}

void save(const RunStore& store, const Submission& submission) {
  write_submission_file(submission_path(store, submission.id, kSuffix), to_json(submission));
}

Submission load_submission(const RunStore& store, const std::string& id) {
  const std::filesystem::path path = submission_path(store, id, kSuffix);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw BadInput(concat("there is no submission ", path, "; expected the name of one that --submit made"));
  }
  return read(path);
}

std::vector<Submission> load_submissions(const RunStore& store) {
  std::vector<std::filesystem::path> paths;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(store.path() / kFolder, missing)) {
    if (entry.path().extension() == kSuffix) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Submission> submissions;
  for (const std::filesystem::path& path : paths) {
    try {
      submissions.push_back(read(path));
    } catch (const BadInput& error) {
      log_warning(concat("a submission is left out: ", error.what()));
    }
  }
  return submissions;
}

std::filesystem::path requeue_note(const RunStore& store, const std::string& id, const std::string& task) {
  return store.path() / kFolder / concat(id, ".requeue.", task);
}

std::vector<int> noted_tasks(const RunStore& store, const Submission& submission) {
  std::vector<int> tasks;
  std::error_code ignored;
  for (int task = 0; task < submission.tasks(); ++task) {
    if (std::filesystem::exists(requeue_note(store, submission.id, std::to_string(task)), ignored)) {
      tasks.push_back(task);
    }
  }
  return tasks;
}

void clear_note(const RunStore& store, const Submission& submission, int task) {
  std::error_code ignored;
  std::filesystem::remove(requeue_note(store, submission.id, std::to_string(task)), ignored);
}

GridRun run_of(const Submission::Run& run) { return {{}, run.identity, run.label}; }

std::vector<GridRun> runs_of_task(const Submission& submission, int task) {
  if (task < 0 || task >= submission.tasks()) {
    throw BadInput(concat("--task ", task, ": submission ", submission.id, " has the tasks 0..",
                          submission.tasks() - 1));
  }
  const std::size_t first = static_cast<std::size_t>(task) * static_cast<std::size_t>(submission.chunk);
  const std::size_t last =
      std::min(first + static_cast<std::size_t>(submission.chunk), submission.runs.size());
  std::vector<GridRun> runs;
  for (std::size_t i = first; i < last; ++i) {
    runs.push_back(run_of(submission.runs[i]));
  }
  return runs;
}

}  // namespace adapt
