#include "base/json.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr std::size_t kDeepest = 64;

/// Makes a value of what the library's parser meets. Its own way would look for each member among those that
/// are there already, and nest without end.
class Builder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& /*digits*/) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t& /*value*/) override { return false; }  // no JSON has it
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    name_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string& /*token*/, const Json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error ...; last read: ..."
    const std::string_view what = error.what();
    const std::string_view words = what.substr(std::min(what.find("] "), what.size() - 2) + 2);
    const std::size_t start = words.starts_with("parse error at") ? words.find(": ") + 2 : 0;
    problem_ =
        concat("not valid JSON at byte ", at, ": ", words.substr(start, words.find("; last read") - start));
    return false;
  }

  /// After a text that was whole.
  Json take() { return std::move(*whole_); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  /// The value, where it belongs; it does not move while it is open.
  Json* place(Json value) {
    if (open_.empty()) {
      whole_ = std::move(value);
      return &*whole_;
    }
    Json& around = *open_.back();
    if (around.is_array()) {
      around.push_back(std::move(value));
      return &around.back();
    }
    add_member(around, std::move(name_), std::move(value));
    return &around.get_ref<Json::object_t&>().back().second;
  }

  bool open(Json value) {
    if (open_.size() > kDeepest) {
      problem_ = concat("values nested more than ", kDeepest, " deep; expected fewer levels");
      return false;
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::optional<Json> whole_;
  std::vector<Json*> open_;
  std::string name_;  // of the member whose value comes next
  std::string problem_;
};

std::string dump(const Json& value, int indentation) {
  return value.dump(indentation, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  Builder builder;
  if (!Json::sax_parse(text, &builder)) {
    throw BadInput(concat(source, ": ", builder.problem()));
  }
  return builder.take();
}

std::string json_text(const Json& value) { return dump(value, 2) + "\n"; }

std::string json_line(const Json& value) { return dump(value, -1); }

void add_member(Json& object, std::string name, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(name), std::move(value));
}

const Json* find_member(const Json& value, std::string_view name) {
  if (!value.is_object()) {
    return nullptr;
  }
  const auto& members = value.get_ref<const Json::object_t&>();
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
  return found == members.end() ? nullptr : &found->second;
}

std::string text_of(const Json& value, std::string_view name) {
  const Json* member = find_member(value, name);
  if (member == nullptr || member->is_null() || member->is_structured()) {
    return "";
  }
  return member->is_string() ? member->get<std::string>() : json_line(*member);
}

std::optional<std::int64_t> integer_of(const Json& value, std::string_view name) {
  const Json* member = find_member(value, name);
  if (member == nullptr || !member->is_number_integer()) {
    return std::nullopt;
  }
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  if (member->is_number_unsigned() && member->get<std::uint64_t>() > kLargest) {
    return std::nullopt;
  }
  return member->get<std::int64_t>();
}

}  // namespace adapt
