#include "experiment/interruption.hpp"

#include <algorithm>
#include <span>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"

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
    const Json json = parse_json(read_text(path, kSmallFile), path.string());
    return Interruption{static_cast<int>(integer_of(json, "count").value_or(1)), text_of(json, "checkpoint"),
                        text_of(json, "message"),
                        find_named<Reason>(text_of(json, "reason")).value_or(Reason::unknown),
                        text_of(json, "nodes")};
  } catch (const BadInput& error) {
    return Interruption{1, "", error.what(), Reason::unknown, ""};  // the file itself says that there was one
  }
}

Interruption note_interruption(const std::filesystem::path& run_dir, const std::string& message,
                               Reason reason, const std::string& nodes) {
  const std::optional<Interruption> before = interruption_of(run_dir);
  Interruption now{1, newest_checkpoint(run_dir), message, reason, nodes};
  if (before && before->checkpoint == now.checkpoint) {
    now.count = before->count + 1;
  }
  const std::string text = json_text({{"count", now.count},
                                      {"checkpoint", now.checkpoint},
                                      {"message", now.message},
                                      {"reason", name_of(now.reason)},
                                      {"nodes", now.nodes}});
  Folder(run_dir, Folder::Links::refused).write(kInterrupted, std::as_bytes(std::span(text)));
  return now;
}

void clear_interruption(const std::filesystem::path& run_dir) {
  std::error_code ignored;
  std::filesystem::remove(run_dir / kInterrupted, ignored);
}

}  // namespace adapt
