#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace adapt {

/// The options of one operation of a model file. What is asked for is what the operation knows; any other
/// option is refused when it has been read. All throw BadInput with the place where an option is no such
/// value, or is missing and has no `usual` value.
class OptionReader {
 public:
  virtual ~OptionReader() = default;
  OptionReader() = default;
  OptionReader(const OptionReader&) = delete;
  OptionReader& operator=(const OptionReader&) = delete;

  virtual int integer(std::string_view key, int low, int high, std::optional<int> usual = std::nullopt) = 0;
  virtual double number(std::string_view key, double low, double high, double usual) = 0;
  virtual bool flag(std::string_view key, bool usual) = 0;
};

}  // namespace adapt
