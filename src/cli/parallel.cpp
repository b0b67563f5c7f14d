#include "cli/parallel.hpp"

#include <cstdlib>
#include <string>

#include "base/failure_text.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "cli/machines.hpp"
#include "mpi/together.hpp"

namespace adapt::cli {
LogLevel told_log_level() {
  const char* told = std::getenv("ADAPT_LOG");
  return told == nullptr ? LogLevel::info : read_name<LogLevel>("level in ADAPT_LOG", told);
}

void refuse_ranks(const std::string& command) {
  const char* ranks = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (ranks != nullptr && std::string(ranks) != "1") {
    throw BadInput(concat(command, " runs alone, but was started as one of ", ranks,
                          " ranks; expected it without mpirun"));
  }
}

ExitCode run_parallel(const mpi::Facts& task, const std::function<ExitCode(const mpi::Communicator&)>& work) {
  const mpi::Session session(nullptr, nullptr);
  const mpi::Communicator ranks = mpi::Communicator::world();
  configure_log(ranks.rank(), LogLevel::info);
  try {
    mpi::Facts program;
    mpi::together(ranks, [&] {
      configure_log(ranks.rank(), told_log_level());
      fault::arm(ranks.rank());
      program = program_facts();
    });
    mpi::agree(ranks, task, "the same command on every rank");
    mpi::agree(ranks, program, "the same program on every host");
    return work(ranks);
  } catch (const mpi::SharedError& error) {
    if (ranks.rank() == 0) {
      (error.code() == ExitCode::stopped ? log_info : log_error)(error.what());
    }
    return error.code();
  } catch (const Error& error) {
    log_error(error.what());
    mpi::abort(static_cast<int>(error.code()));
  } catch (const std::exception& error) {
    log_error(failure_text(error));
    mpi::abort(static_cast<int>(ExitCode::failed));
  }
}

}  // namespace adapt::cli
