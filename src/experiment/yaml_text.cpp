#include "experiment/yaml_text.hpp"

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
#include "experiment/domain.hpp"

namespace adapt {
namespace {

constexpr std::uintmax_t kLargestFile = 1U << 20U;

/// Length of the UTF-8 character (RFC 3629) at the start of `text`, or 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80U) {
    return 1;
  }
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  const bool wrong = first < 0xC2U || first > 0xF4U || (first == 0xE0U && byte(1) < 0xA0U) ||
                     (first == 0xEDU && byte(1) > 0x9FU) || (first == 0xF0U && byte(1) < 0x90U) ||
                     (first == 0xF4U && byte(1) > 0x8FU);
  return wrong ? 0 : length;
}

bool is_text_control(char c) { return c == '\n' || c == '\t' || c == '\r'; }

/// The start of a message about a line, counted from 1.
using PlaceOfLine = std::function<std::string(int line)>;

/// Refuses bytes that no YAML text has.
void check_characters(const std::string& text, const PlaceOfLine& where) {
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_length(std::string_view(text).substr(at, 4));
    const bool control = static_cast<unsigned char>(c) < ' ' && !is_text_control(c);
    if (length == 0 || control) {
      throw BadInput(concat(where(line), ": byte ", at, " is ", control ? "a control character" : "not UTF-8",
                            "; expected a YAML text file"));
    }
    line += c == '\n' ? 1 : 0;
    at += length;
  }
}

/// Notes where documents start and skips what is in them.
class DocumentStarts : public YAML::EventHandler {
 public:
  [[nodiscard]] const std::vector<YAML::Mark>& marks() const { return marks_; }

  void OnDocumentStart(const YAML::Mark& mark) override { marks_.push_back(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}

 private:
  std::vector<YAML::Mark> marks_;
};

/// Refuses a second document. Not YAML::LoadAll, which never returns from a text with a stray comma
/// (yaml-cpp 0.7 finds an endless row of empty documents there).
void check_single_document(const std::string& text, const PlaceOfLine& where) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (parser.HandleNextDocument(starts) && parser.HandleNextDocument(starts)) {
    throw BadInput(where(starts.marks().back().line + 1) +
                   ": a second YAML document or a stray character; expected one document");
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
    check_single_document(text, where);
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
  const std::vector<std::byte> bytes = read_file(path, kLargestFile);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
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
