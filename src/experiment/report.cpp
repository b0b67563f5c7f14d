#include "experiment/report.hpp"

#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/json_value.hpp"

namespace adapt {
namespace {

constexpr const char* kMachine = "machine";
constexpr const char* kTask = "task";

}  // namespace

void report_begin(const std::filesystem::path& path) { write_atomically(path, std::string("{}\n")); }

void report_failure(const std::filesystem::path& path, const ReportedFailure& failure) {
  JsonWriter json;
  json.begin_object();
  json.member("exit_code", std::int64_t{failure.exit_code});
  json.member("message", failure.message);
  json.member("cause", failure.cause == Cause::machine ? kMachine : kTask);
  json.end_object();
  write_atomically(path, json.text());
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
    const JsonValue json = parse_json(read_text(path, kSmallFile), path.string());
    Report report{true, std::nullopt};
    if (const auto code = json.integer_of("exit_code")) {
      report.failure = ReportedFailure{static_cast<int>(*code), json.text_of("message"),
                                       json.text_of("cause") == kMachine ? Cause::machine : Cause::task};
    }
    return report;
  } catch (const BadInput&) {
    return {};  // not written by a training
  }
}

}  // namespace adapt
