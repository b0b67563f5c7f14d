#include "experiment/report.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"

namespace adapt {

void report_begin(const std::filesystem::path& path) { write_atomically(path, std::string("{}\n")); }

void report_failure(const std::filesystem::path& path, const ReportedFailure& failure) {
  write_atomically(path, json_text({{"exit_code", failure.exit_code},
                                    {"message", failure.message},
                                    {"cause", name_of(failure.cause)}}));
}

void clear_report(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) {
    fail_with(concat("cannot remove ", path), error.value());
  }
}

Report read_report(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return {};
  }
  try {
    const Json json = parse_json(read_text(path, kSmallFile), path.string());
    Report report{true, std::nullopt};
    if (const auto code = integer_of(json, "exit_code")) {
      report.failure = ReportedFailure{static_cast<int>(*code), text_of(json, "message"),
                                       find_named<Cause>(text_of(json, "cause")).value_or(Cause::task)};
    }
    return report;
  } catch (const BadInput&) {
    return {};  // not written by a training
  }
}

}  // namespace adapt
