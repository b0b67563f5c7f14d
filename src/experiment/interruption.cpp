#include "experiment/interruption.hpp"

#include <algorithm>
#include <span>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/json_value.hpp"

namespace adapt {
namespace {

constexpr const char* kInterrupted = "interrupted";

/// Name of the newest checkpoint, "" where there is none: names hold the step, with leading zeros.
std::string newest_checkpoint(const std::filesystem::path& run_dir) {
  std::string newest;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir / "checkpoints", missing)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".tmp.") == std::string::npos && !entry.is_directory(missing)) {
      newest = std::max(newest, name);
    }
  }
  return newest;
}

}  // namespace

std::optional<Interruption> interruption_of(const std::filesystem::path& run_dir) {
  const std::filesystem::path path = run_dir / kInterrupted;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  try {
    const JsonValue json = parse_json(read_text(path, kSmallFile), path.string());
    return Interruption{static_cast<int>(json.integer_of("count").value_or(1)), json.text_of("checkpoint"),
                        json.text_of("message")};
  } catch (const BadInput& error) {
    return Interruption{1, "", error.what()};  // the file itself says that there was one
  }
}

Interruption note_interruption(const std::filesystem::path& run_dir, const std::string& message) {
  const std::optional<Interruption> before = interruption_of(run_dir);
  Interruption now{1, newest_checkpoint(run_dir), message};
  if (before && before->checkpoint == now.checkpoint) {
    now.count = before->count + 1;
  }
  JsonWriter json;
  json.begin_object();
  json.member("count", std::int64_t{now.count});
  json.member("checkpoint", now.checkpoint);
  json.member("message", now.message);
  json.end_object();
  const std::string text = json.text();
  Folder(run_dir, Folder::Links::refused).write(kInterrupted, std::as_bytes(std::span(text)));
  return now;
}

void clear_interruption(const std::filesystem::path& run_dir) {
  std::error_code ignored;
  std::filesystem::remove(run_dir / kInterrupted, ignored);
}

}  // namespace adapt
