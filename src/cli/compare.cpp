#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "record/run_file.hpp"

namespace adapt::cli {

ExitCode compare(const std::vector<std::string>& arguments) {
  Usage usage;
  usage.synopsis = "adapt compare RUN_A RUN_B";
  usage.description =
      "Exit code 0 when both runs took the same trajectory, bit for bit (losses, plans, weights); else 1 and "
      "the first\n"
      "difference. Times, bytes, hosts and rank counts do not count.";
  usage.examples = "  adapt compare runs/one_rank runs/four_ranks\n";
  usage.positional.add("input", -1);
  boost::program_options::variables_map values;
  if (!parse(usage, arguments, values)) {
    return ExitCode::done;
  }
  const auto inputs = given(values, "input");
  if (inputs.size() != 2) {
    throw BadInput(concat("expected two run folders, got ", inputs.size(), "; usage: ", usage.synopsis));
  }
  const std::string difference = first_difference(RunFile(inputs[0]), RunFile(inputs[1]));
  print_line(difference.empty() ? "same trajectory" : difference);
  return difference.empty() ? ExitCode::done : ExitCode::failed;
}

}  // namespace adapt::cli
