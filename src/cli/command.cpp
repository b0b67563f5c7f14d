#include "cli/command.hpp"

#include "base/terminal.hpp"
#include "data/dataset.hpp"
#include "nn/models.hpp"

namespace adapt::cli {
namespace {

std::string& stored_command_line() {
  static std::string line;
  return line;
}

/// The visible options: positional ones are part of the synopsis.
void print_help(const Usage& usage, const boost::program_options::options_description& visible) {
  print_text(concat("usage: ", usage.synopsis, "\n\n", usage.description, "\n\n", visible,
                    usage.examples.empty() ? "" : "\nExamples:\n", usage.examples));
}

}  // namespace

bool parse(Usage& usage, const std::vector<std::string>& arguments,
           boost::program_options::variables_map& values) {
  namespace po = boost::program_options;
  usage.options.add_options()("help,h", "print this help");
  po::options_description all;
  all.add(usage.options);
  all.add_options()("input", po::value<std::vector<std::string>>(), "");
  try {
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(usage.positional)
                  .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
                  .run(),
              values);
    if (values.count("help") != 0) {
      print_help(usage, usage.options);
      return false;
    }
    po::notify(values);
  } catch (const po::error& error) {
    throw BadInput(concat(error.what(), "; usage: ", usage.synopsis));
  }
  return true;
}

std::vector<std::string> given(const boost::program_options::variables_map& values, const char* option) {
  return values.count(option) != 0 ? values[option].as<std::vector<std::string>>()
                                   : std::vector<std::string>();
}

std::string one_input(const boost::program_options::variables_map& values, const Usage& usage,
                      const std::string& what) {
  const std::vector<std::string> inputs = given(values, "input");
  if (inputs.size() != 1) {
    throw BadInput(concat("expected one ", what, ", got ", inputs.size(), "; usage: ", usage.synopsis));
  }
  return inputs.front();
}

KnownNames known_names() { return {model_names(), dataset_names()}; }

std::string command_line() { return stored_command_line(); }

void remember_command_line(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    stored_command_line() += concat(i == 0 ? "" : " ", argv[i]);
  }
}

}  // namespace adapt::cli
