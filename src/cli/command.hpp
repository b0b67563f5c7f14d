#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "experiment/configuration.hpp"

namespace adapt::cli {

/// A subcommand of the program.
struct Command {
  const char* name;
  const char* summary;  ///< one line for `adapt --help`
  /// Takes the arguments behind the subcommand's name; throws Error.
  ExitCode (*run)(const std::vector<std::string>& arguments);
  /// May run as one of several processes: several ranks share its work, or (a sweep) each does its own.
  bool is_parallel;
};

ExitCode train(const std::vector<std::string>& arguments);
ExitCode evaluate(const std::vector<std::string>& arguments);
ExitCode compare(const std::vector<std::string>& arguments);
ExitCode bench(const std::vector<std::string>& arguments);
ExitCode sweep(const std::vector<std::string>& arguments);
ExitCode export_model(const std::vector<std::string>& arguments);
ExitCode info(const std::vector<std::string>& arguments);
ExitCode analyse(const std::vector<std::string>& arguments);

/// What a subcommand accepts, and how its help reads.
struct Usage {
  std::string synopsis;     ///< "adapt train EXPERIMENT.yaml [options]"
  std::string description;  ///< a paragraph
  std::string examples;     ///< lines, each starting with two blanks
  boost::program_options::options_description options{"Options"};
  boost::program_options::positional_options_description positional;
};

/// Parses `arguments`; with --help prints the help and returns false. Throws BadInput with what is wrong and
/// where to look.
bool parse(Usage& usage, const std::vector<std::string>& arguments,
           boost::program_options::variables_map& values);

/// The values given for an option that may be repeated (possibly none); "input" holds the positional
/// arguments.
std::vector<std::string> given(const boost::program_options::variables_map& values, const char* option);

/// The one positional argument, which is `what` ("run folder"). Throws BadInput where there is none, or
/// another.
std::string one_input(const boost::program_options::variables_map& values, const Usage& usage,
                      const std::string& what);

/// Names that the registries know.
KnownNames known_names();

/// The whole command line, for provenance.
std::string command_line();
void remember_command_line(int argc, char** argv);

}  // namespace adapt::cli
