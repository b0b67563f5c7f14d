#include "yaml/text.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/terminal.hpp"
#include "yaml/domain.hpp"

namespace adapt {
namespace {

constexpr std::uintmax_t kLargestFile = 1U << 20U;
constexpr std::size_t kMostValues = 100000;  ///< of a file; a grid of the most runs names fewer

bool is_text_control(char c) { return c == '\n' || c == '\t' || c == '\r'; }

/// The start of a message about a line, counted from 1.
using PlaceOfLine = std::function<std::string(int line)>;

/// Refuses bytes that no YAML text has.
void check_characters(const std::string& text, const PlaceOfLine& where) {
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const Character character = first_character(std::string_view(text).substr(at, 4));
    const bool control = static_cast<unsigned char>(c) < ' ' && !is_text_control(c);
    if (!character.is_utf8 || control) {
      throw BadInput(concat(where(line), ": byte ", at, " is ", control ? "a control character" : "not UTF-8",
                            "; expected a YAML text file"));
    }
    line += c == '\n' ? 1 : 0;
    at += character.length;
  }
}

/// Reads the events of a text without building it: refuses a second document, and aliases that make more of
/// it than anybody would walk through. yaml-cpp shares what an alias stands for, so a few lines become a tree
/// that grows tenfold with each, or one without end.
class Inspection : public YAML::EventHandler {
 public:
  explicit Inspection(const PlaceOfLine& where) : where_(where) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw BadInput(place(mark) + ": a second YAML document or a stray character; expected one document");
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add_leaf(mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                const std::string& /*value*/) override {
    add_leaf(mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor);
  }
  void OnMapEnd() override { close(); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = sizes_.find(anchor);
    if (found == sizes_.end()) {
      throw BadInput(place(mark) + ": an alias inside of what it stands for; expected no circle");
    }
    add(mark, found->second);
  }

 private:
  /// A list or mapping that has begun.
  struct Open {
    YAML::anchor_t anchor;
    std::size_t before;  ///< values ahead of it
  };

  [[nodiscard]] std::string place(const YAML::Mark& mark) const { return where_(mark.line + 1); }

  void add(const YAML::Mark& mark, std::size_t values) {
    values_ += values;
    if (values_ > kMostValues) {
      throw BadInput(concat(place(mark), ": more than ", kMostValues,
                            " values, those of aliases counted; "
                            "expected an experiment or a grid"));
    }
  }

  void add_leaf(const YAML::Mark& mark, YAML::anchor_t anchor) {
    add(mark, 1);
    note(anchor, 1);
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor) {
    open_.push_back({anchor, values_});
    add(mark, 1);
  }

  void close() {
    note(open_.back().anchor, values_ - open_.back().before);
    open_.pop_back();
  }

  void note(YAML::anchor_t anchor, std::size_t values) {
    if (anchor != YAML::NullAnchor) {
      sizes_[anchor] = values;
    }
  }

  const PlaceOfLine& where_;
  int documents_ = 0;
  std::size_t values_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::size_t> sizes_;  ///< values of what has an anchor and is complete
};

/// Not YAML::LoadAll, which never returns from a text with a stray comma (yaml-cpp 0.7 finds an endless row
/// of empty documents there).
void inspect(const std::string& text, const PlaceOfLine& where) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Inspection inspection(where);
  if (parser.HandleNextDocument(inspection)) {
    parser.HandleNextDocument(inspection);
  }
}

/// What is wrong where the parser gave up. In words of our own: those of yaml-cpp change with its version.
std::string syntax_problem(const std::string& text, const YAML::Mark& mark) {
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i <= mark.line; ++i) {
    std::getline(lines, line);
  }
  line.erase(line.find_last_not_of('\r') + 1);
  const std::string rest =
      line.substr(std::min<std::size_t>(line.size(), static_cast<unsigned>(mark.column)));
  const std::size_t indentation = std::min(line.find_first_not_of(" \t\r"), line.size());
  if (!rest.empty() && line.substr(0, indentation).find('\t') != std::string::npos) {
    return "a tab in the indentation; expected spaces";
  }
  return concat("unexpected ", rest.empty() ? "end" : quote_for_message(rest), " (column ", mark.column + 1,
                ")");
}

YAML::Node parse(const std::string& text, const PlaceOfLine& where) {
  check_characters(text, where);
  try {
    inspect(text, where);
    return YAML::Load(text);
  } catch (const YAML::DeepRecursion& error) {
    throw BadInput(where(error.mark.line + 1) + ": nested too deeply; expected at most three levels");
  } catch (const YAML::Exception& error) {
    throw BadInput(
        concat(where(error.mark.line + 1), ": not valid YAML: ", syntax_problem(text, error.mark)));
  }
}

}  // namespace

std::string read_yaml_file(const std::filesystem::path& path) {
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  const bool exists = std::filesystem::exists(path, error);
  if (exists && !regular) {
    // Checked before opening: opening a named pipe would wait for ever.
    throw BadInput(concat("cannot read ", path.string(), ": not a regular file; expected a YAML file"));
  }
  const std::uintmax_t size = regular ? std::filesystem::file_size(path, error) : 0;
  if (!error && size > kLargestFile) {
    throw BadInput(concat("cannot read ", path.string(), ": ", size,
                          " bytes; expected a YAML file of at most ", kLargestFile, " bytes"));
  }
  return read_text(path, kLargestFile);
}

YAML::Node parse_yaml(const std::string& text, const std::string& source) {
  return parse(text, [&](int line) { return concat(source, ":", line); });
}

YAML::Node parse_yaml_value(const std::string& text, const std::string& where) {
  return parse(text, [&](int /*line*/) { return where; });
}

void check_root(const YAML::Node& root, const std::string& source) {
  if (root.IsNull()) {
    throw BadInput(source + ": empty; expected keys such as 'model: lenet5'");
  }
  if (!root.IsMap()) {
    throw BadInput(place(source, root) + ": " + (root.IsSequence() ? "a list" : "a single value") +
                   "; expected keys such as 'model: lenet5'");
  }
}

void check_keys(const YAML::Node& mapping, const std::string& section, const std::string& source) {
  std::map<std::string, int> lines;
  for (const auto& entry : mapping) {
    const std::string where = place(source, entry.first);
    if (!entry.first.IsScalar()) {
      throw BadInput(where + ": a key that is not a word; expected keys such as 'model: lenet5'");
    }
    const std::string& key = entry.first.Scalar();
    const auto [first, added] = lines.emplace(key, entry.first.Mark().line + 1);
    if (!added) {
      throw BadInput(concat(where, ": duplicate key ", quote_for_message(joined_key(section, key)),
                            "; first in line ", first->second));
    }
  }
}

std::string joined_key(const std::string& section, const std::string& key) {
  return section.empty() ? key : section + "." + key;
}

std::string place(const std::string& source, const YAML::Node& node) {
  return concat(source, ":", node.Mark().line + 1);
}

}  // namespace adapt
