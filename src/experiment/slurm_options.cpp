#include "experiment/slurm_options.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "base/shell.hpp"
#include "base/suggest.hpp"
#include "experiment/slurm_reader.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

/// What sbatch --signal takes.
constexpr int kMostSignalSeconds = 65535;

/// Runs of a task at a time: more than any node has processors.
constexpr int kMostPacked = 4096;

/// One key; `read` throws BadInput without place and key.
struct Field {
  std::string key;
  std::function<void(SlurmOptions&, const YAML::Node&)> read;
};

std::string one_line_text(const YAML::Node& node, const char* expected) {
  if (!node.IsScalar() || node.Scalar().empty() || has_control_character(node.Scalar())) {
    throw BadInput(concat("expected ", expected, " on one line, without control characters"));
  }
  return node.Scalar();
}

Field text(const char* key, std::string SlurmOptions::*member, const char* expected) {
  return {key, [=](SlurmOptions& options, const YAML::Node& node) {
            options.*member = one_line_text(node, expected);
          }};
}

Field word(const char* key, std::string SlurmOptions::*member, const char* expected) {
  return {key, [=](SlurmOptions& options, const YAML::Node& node) {
            options.*member = one_line_text(node, expected);
            if ((options.*member).find_first_of(" \t#\"'") != std::string::npos) {
              throw BadInput(
                  concat("expected ", expected, ", one word; found ", quote_for_message(options.*member)));
            }
          }};
}

Field number(const char* key, int SlurmOptions::*member, int low, int high = 1000000) {
  return {key, [=](SlurmOptions& options, const YAML::Node& node) {
            options.*member = static_cast<int>(IntegerDomain{low, high}.parse(node));
          }};
}

void read_lines(const YAML::Node& node, std::vector<std::string>& lines, const char* expected) {
  if (!node.IsSequence()) {
    throw BadInput(concat("expected a list; each item ", expected));
  }
  lines.clear();
  for (const YAML::Node& item : node) {
    lines.push_back(one_line_text(item, expected));
  }
}

Field lines(const char* key, std::vector<std::string> SlurmOptions::*member, const char* expected) {
  return {key, [=](SlurmOptions& options, const YAML::Node& node) {
            read_lines(node, options.*member, expected);
          }};
}

/// "--name" or "--name=value": one word of a command line, whose value may hold anything.
bool is_long_option(const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  return name.size() > 2 && name.starts_with("--") &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string::npos;
}

/// An option of sbatch that is not to be given: it would undo what the program says itself, and relies on.
struct Reserved {
  std::string_view name;
  const char* instead;  ///< the keys that say it; empty where nothing does
};

constexpr std::array kReserved = {
    Reserved{"account", "account"},
    Reserved{"array", "throttle"},
    Reserved{"cpus-per-task", "threads"},
    Reserved{"error", ""},
    Reserved{"export", ""},
    Reserved{"export-file", ""},
    Reserved{"help", ""},
    Reserved{"job-name", ""},
    Reserved{"mem", "memory"},
    Reserved{"no-requeue", "max_requeues"},
    Reserved{"nodes", "nodes"},
    Reserved{"ntasks-per-node", "ranks_per_node"},
    Reserved{"open-mode", ""},
    Reserved{"output", ""},
    Reserved{"parsable", ""},
    Reserved{"partition", "partition"},
    Reserved{"qos", "qos"},
    Reserved{"signal", "signal_seconds"},
    Reserved{"test-only", ""},
    Reserved{"time", "time"},
    Reserved{"usage", ""},
    Reserved{"version", ""},
    Reserved{"wrap", ""},
};

/// Throws BadInput for a reserved option, also where it is cut short, as sbatch lets it be.
void refuse_reserved(const std::string& option) {
  constexpr std::size_t kDashes = 2;
  const std::string name = option.substr(kDashes, option.find('=') - kDashes);
  const auto* const found = std::find_if(kReserved.begin(), kReserved.end(), [&](const Reserved& reserved) {
    return reserved.name.starts_with(name);
  });
  if (found != kReserved.end()) {
    const std::string instead = found->instead;
    throw BadInput(concat("found ", quote_for_message(option), ", and adapt itself decides on --",
                          found->name, "; expected ",
                          instead.empty() ? "another option, or none" : "the key " + instead));
  }
}

Field more_options() {
  const char* expected = "an option of sbatch such as --constraint=avx512";
  return {"options", [=](SlurmOptions& options, const YAML::Node& node) {
            read_lines(node, options.options, expected);
            for (const std::string& option : options.options) {
              if (!is_long_option(option)) {
                throw BadInput(
                    concat("expected a list; each item ", expected, ", found ", quote_for_message(option)));
              }
              refuse_reserved(option);
            }
          }};
}

/// Minutes, or hours, minutes and seconds, perhaps behind days.
bool is_time(const std::string& value) {
  const std::size_t colons = static_cast<std::size_t>(std::count(value.begin(), value.end(), ':'));
  const std::size_t dashes = static_cast<std::size_t>(std::count(value.begin(), value.end(), '-'));
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return colons <= 2 && dashes <= 1 && digit(value.front()) && digit(value.back()) &&
         value.find_first_not_of("0123456789:-") == std::string::npos;
}

Field pack() {
  return {"pack", [](SlurmOptions& options, const YAML::Node& node) {
            const bool is_auto = node.IsScalar() && node.Scalar() == "auto";
            options.pack = is_auto ? kAutoPack : static_cast<int>(IntegerDomain{1, kMostPacked}.parse(node));
          }};
}

Field time_limit() {
  return {"time", [](SlurmOptions& options, const YAML::Node& node) {
            const char* expected = "a time such as 30 (minutes), 12:00:00 or 2-00:00:00";
            options.time = one_line_text(node, expected);
            if (!is_time(options.time)) {
              throw BadInput(concat("expected ", expected, ", found ", quote_for_message(options.time)));
            }
          }};
}

const std::vector<Field>& fields() {
  static const std::vector<Field> kFields = {
      word("partition", &SlurmOptions::partition, "a partition"),
      word("account", &SlurmOptions::account, "an account"),
      word("qos", &SlurmOptions::qos, "a quality of service"),
      time_limit(),
      word("memory", &SlurmOptions::memory, "memory of a node such as 16G"),
      number("nodes", &SlurmOptions::nodes, 1),
      number("ranks_per_node", &SlurmOptions::ranks_per_node, 1),
      number("threads", &SlurmOptions::threads, 1),
      pack(),
      number("throttle", &SlurmOptions::throttle, 1),
      number("chunk", &SlurmOptions::chunk, 1),
      number("max_array_size", &SlurmOptions::max_array_size, 1),
      number("max_requeues", &SlurmOptions::max_requeues, 0),
      number("signal_seconds", &SlurmOptions::signal_seconds, 1, kMostSignalSeconds),
      lines("setup", &SlurmOptions::setup, "a shell command such as module load openmpi"),
      text("launch", &SlurmOptions::launch, "a launcher such as srun --mpi=pmix"),
      more_options(),
  };
  return kFields;
}

}  // namespace

void read_slurm_options(const YAML::Node& mapping, const std::string& section, const std::string& source,
                        SlurmOptions& options) {
  std::vector<std::string> keys;
  for (const Field& field : fields()) {
    keys.push_back(field.key);
  }
  if (!mapping.IsMap()) {
    throw BadInput(concat(place(source, mapping), ": '", section, "': expected a mapping with the keys ",
                          join_names(keys)));
  }
  check_keys(mapping, section, source);
  for (const auto& entry : mapping) {
    const std::string& key = entry.first.Scalar();
    const std::string where = place(source, entry.first);
    const auto field =
        std::find_if(fields().begin(), fields().end(), [&](const Field& f) { return f.key == key; });
    if (field == fields().end()) {
      throw BadInput(
          concat(where, ": unknown key ", quote_for_message(joined_key(section, key)), name_hint(key, keys)));
    }
    try {
      field->read(options, entry.second);
    } catch (const BadInput& error) {
      throw BadInput(concat(where, ": '", joined_key(section, key), "': ", error.what()));
    }
  }
}

void read_site_file(const std::filesystem::path& path, SlurmOptions& options) {
  const YAML::Node root = parse_yaml(read_yaml_file(path), path.string());
  if (!root.IsNull()) {  // all of it commented out
    read_slurm_options(root, "", path.string(), options);
  }
}

}  // namespace adapt
