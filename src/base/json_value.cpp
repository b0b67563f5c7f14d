#include "base/json_value.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"

namespace adapt {
namespace {

constexpr std::size_t kDeepest = 64;

/// Makes a value of what the library's parser meets.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add({JsonValue::Kind::null, "null", {}, {}}); }
  bool boolean(bool value) override {
    return add({JsonValue::Kind::boolean, value ? "true" : "false", {}, {}});
  }
  bool number_integer(std::int64_t value) override { return add_number(std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) override { return add_number(std::to_string(value)); }
  bool number_float(double /*value*/, const std::string& digits) override { return add_number(digits); }
  bool string(std::string& value) override { return add({JsonValue::Kind::string, value, {}, {}}); }
  bool binary(nlohmann::json::binary_t& /*value*/) override { return false; }  // no JSON has it
  bool start_object(std::size_t /*size*/) override { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t /*size*/) override { return open(JsonValue::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    open_.back()->names.push_back(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string& /*token*/,
                   const nlohmann::json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error ...; last read: ..."
    const std::string_view what = error.what();
    const std::string_view words = what.substr(std::min(what.find("] "), what.size() - 2) + 2);
    const std::size_t start = words.starts_with("parse error at") ? words.find(": ") + 2 : 0;
    problem_ =
        concat("not valid JSON at byte ", at, ": ", words.substr(start, words.find("; last read") - start));
    return false;
  }

  JsonValue take() { return std::move(whole_); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool add_number(const std::string& digits) { return add({JsonValue::Kind::number, digits, {}, {}}); }

  bool add(JsonValue value) {
    place(std::move(value));
    return true;
  }

  /// The value, where it belongs; it does not move while it is open.
  JsonValue* place(JsonValue value) {
    if (open_.empty()) {
      whole_ = std::move(value);
      return &whole_;
    }
    return &open_.back()->items.emplace_back(std::move(value));
  }

  bool open(JsonValue::Kind kind) {
    if (open_.size() > kDeepest) {
      problem_ = concat("values nested more than ", kDeepest, " deep; expected fewer levels");
      return false;
    }
    open_.push_back(place({kind, "", {}, {}}));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  JsonValue whole_;
  std::vector<JsonValue*> open_;
  std::string problem_;
};

template <class Number>
std::optional<Number> to_number(const JsonValue* value) {
  Number number = 0;
  if (value == nullptr || value->kind != JsonValue::Kind::number) {
    return std::nullopt;
  }
  const char* end = value->text.data() + value->text.size();
  const auto [stop, error] = std::from_chars(value->text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

std::string JsonValue::text_of(std::string_view name) const {
  const JsonValue* value = find(name);
  return value == nullptr || value->kind == Kind::null ? "" : value->text;
}

std::optional<double> JsonValue::number() const { return to_number<double>(this); }

std::optional<std::int64_t> JsonValue::integer_of(std::string_view name) const {
  return to_number<std::int64_t>(find(name));
}

std::string JsonValue::dump() const {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::string:
      return json_string(text);
    case Kind::boolean:
    case Kind::number:
      return text;
    case Kind::array:
    case Kind::object:
      break;
  }
  const bool members = kind == Kind::object;
  std::string result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    result += (i == 0 ? "" : ", ") + (members ? json_string(names[i]) + ": " : "") + items[i].dump();
  }
  return members ? "{" + result + "}" : "[" + result + "]";
}

JsonValue parse_json(std::string_view text, const std::string& source) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) {
    throw BadInput(concat(source, ": ", builder.problem()));
  }
  return builder.take();
}

}  // namespace adapt
