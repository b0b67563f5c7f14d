#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "base/suggest.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/shared_files.hpp"

namespace adapt::cli {
namespace {

constexpr const char* kSynopsis = "adapt analyse SCRIPT [ARGUMENT]...";
constexpr std::uintmax_t kLargestScript = 1 << 20;

/// A script of analysis/ that can be run by itself.
struct Script {
  std::string name;  ///< "cost_model"
  std::filesystem::path path;
};

std::vector<Script> find_scripts() {
  const std::string folder = shared_path("analysis");
  if (folder.empty()) {
    return {};
  }
  std::vector<Script> scripts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".py" && ::access(path.c_str(), X_OK) == 0) {
      scripts.push_back({path.stem().string(), path});
    }
  }
  std::sort(scripts.begin(), scripts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return scripts;
}

/// The first line of the script's docstring, without its name.
std::string summary_of(const Script& script) {
  const std::string text = read_text(script.path, kLargestScript);
  const std::size_t quotes = text.find("\"\"\"");
  if (quotes == std::string::npos) {
    return "";
  }
  const std::size_t begin = quotes + 3;
  const std::string line = text.substr(begin, text.find('\n', begin) - begin);
  const std::string name = script.name + ".py ";
  return line.starts_with(name) ? line.substr(name.size()) : line;
}

void print_scripts() {
  std::string text = concat("usage: ", kSynopsis,
                            "\n\nRuns one of the Python scripts that read finished and unfinished runs.\n\n"
                            "Scripts:\n");
  for (const Script& script : find_scripts()) {
    text += concat("  ", script.name, std::string(script.name.size() < 14 ? 14 - script.name.size() : 2, ' '),
                   summary_of(script), "\n");
  }
  print_text(text + "\n`adapt analyse SCRIPT --help` tells more.\n");
}

Script find_script(const std::string& name) {
  std::vector<std::string> known;
  for (const Script& script : find_scripts()) {
    if (script.name == name) {
      return script;
    }
    known.push_back(script.name);
  }
  if (known.empty()) {
    throw Failure("cannot find analysis/ in the source tree or installation of this program");
  }
  throw BadInput(concat("unknown script '", name, "'", name_hint(name, known), "; usage: ", kSynopsis));
}

/// Becomes the script.
[[noreturn]] void start(const Script& script, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), script.path.string());
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) {
    words.push_back(argument.data());
  }
  words.push_back(nullptr);
  // An installation stays as it was installed, also when root looks at a run.
  ::setenv("PYTHONDONTWRITEBYTECODE", "1", /*overwrite=*/0);
  ::execv(script.path.c_str(), words.data());
  throw Failure(concat(script.path, ": cannot be started: ", std::strerror(errno)));
}

}  // namespace

ExitCode analyse(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    throw BadInput(concat("expected the name of a script; usage: ", kSynopsis));
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    print_scripts();
    return ExitCode::done;
  }
  start(find_script(arguments[0]), {arguments.begin() + 1, arguments.end()});
}

}  // namespace adapt::cli
