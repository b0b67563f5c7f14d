#include "experiment/ending.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/process.hpp"
#include "experiment/report.hpp"
#include "mpi/watchdog.hpp"

namespace adapt {
namespace {

constexpr int kNotExecutable = 126;
constexpr int kSignalled = 128;
constexpr int kLastSignal = 64;
constexpr std::size_t kMostWords = 20;

/// Lines of the run's output from byte `from` on, without empty ones; of many, the last.
std::vector<std::string> lines_from(const std::filesystem::path& output, std::uintmax_t from) {
  constexpr std::uintmax_t kEnd = std::uintmax_t{1} << 20U;
  std::error_code missing;
  if (!std::filesystem::is_regular_file(output, missing)) {
    return {};
  }
  const std::uintmax_t size = std::filesystem::file_size(output, missing);
  std::ifstream text(output);
  text.seekg(static_cast<std::streamoff>(std::max(from, size > kEnd ? size - kEnd : 0)));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      lines.push_back(line);
    }
  }
  return lines;
}

/// What the lines complain of: the program's last word, else the first one of srun or mpirun, whose later
/// ones often say no more than that there was one. Empty where there is none.
std::string complaint_in(const std::vector<std::string>& lines) {
  constexpr std::string_view kMark = "error: ";
  std::string own;
  std::string other;
  for (const std::string& line : lines) {
    const std::size_t at = line.find(kMark);
    if (at == std::string::npos) {
      continue;
    }
    if (line.starts_with("adapt: ")) {
      own = line.substr(at + kMark.size());
    } else if (other.empty()) {
      other = line.substr(at + kMark.size());
    }
  }
  return own.empty() ? other : own;
}

std::string describe_exit(int code, bool begun, const std::vector<std::string>& command) {
  if (code == kNotFound || code == kNotExecutable) {
    return concat("cannot start ", command[0]);
  }
  if (!begun) {  // a launcher's own code: mpirun has some above 128, too
    return concat(command[0], " ended with exit code ", code, " before the training began");
  }
  if (code > kSignalled && code <= kSignalled + kLastSignal) {
    return concat("ended by signal ", code - kSignalled, " (", ::strsignal(code - kSignalled), ")");
  }
  return code == 0 ? std::string("it ended with exit code 0, but without DONE") : concat("exit code ", code);
}

/// What a rank on another node has just written is seen: a network file system that remembers that there was
/// no such file asks again when the folder is opened.
void look_again(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::directory_iterator opened(folder, ignored);
}

/// Nothing more can be written there.
bool is_full(const std::filesystem::path& folder) {
  constexpr std::uintmax_t kLittle = std::uintmax_t{1} << 16U;
  std::error_code unknown;
  const std::filesystem::space_info space = std::filesystem::space(folder, unknown);
  return !unknown && space.available < kLittle;
}

}  // namespace

EndedAttempt judge(const RunStore& store, const std::string& identity,
                   const std::vector<std::string>& command, const AttemptBegin& before, int exit_code,
                   bool stop_requested) {
  look_again(store.folder(identity));
  const Report report = read_report(store.report(identity));
  if (store.result(identity) == RunState::done) {
    return {Ending::done, exit_code, "", {}};
  }
  if (report.failure) {
    const ReportedFailure& failure = *report.failure;
    const Ending ending = failure.cause == Cause::machine ? Ending::unfit : Ending::failed;
    return {ending,
            failure.exit_code,
            failure.message,
            {},
            reason_said(static_cast<ExitCode>(failure.exit_code), failure.cause)};
  }
  std::vector<std::string> lines = lines_from(store.output(identity), before.output);
  const Reason reason = reason_seen(lines, exit_code, killed_for_memory() > before.killed_for_memory);
  if (exit_code == static_cast<int>(ExitCode::stopped) || (stop_requested && reason != Reason::oom)) {
    return {Ending::stopped, exit_code, "", {}};
  }
  const std::string complaint = complaint_in(lines);
  const std::string how = describe_exit(exit_code, report.begun, command);
  const bool is_blamed = exit_code == static_cast<int>(ExitCode::failed) ||
                         exit_code == static_cast<int>(ExitCode::bad_input) || exit_code == kNotFound ||
                         exit_code == kNotExecutable;
  if (report.begun && (!is_blamed || complaint.starts_with(mpi::kStuck))) {
    return {reason == Reason::oom ? Ending::failed : Ending::interrupted,
            exit_code,
            complaint.empty() ? how : concat(how, ": ", complaint),
            {},
            reason};
  }
  if (lines.size() > kMostWords) {
    lines.erase(lines.begin(), lines.end() - kMostWords);
  }
  std::string message = complaint.empty() ? how : complaint;
  if (is_full(store.folder(identity))) {
    message += concat("; no space is left in ", store.path());
  }
  return {Ending::hindered, exit_code, message, lines};
}

}  // namespace adapt
