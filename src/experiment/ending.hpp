#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiment/reason.hpp"
#include "experiment/store.hpp"

namespace adapt {

/// How an attempt at a run ended.
enum class Ending {
  done,         ///< DONE is there
  stopped,      ///< at a checkpoint, as it was asked to
  failed,       ///< the program itself says so: the experiment's own fault
  unfit,        ///< the program refuses it on this machine: too little memory, too few threads
  interrupted,  ///< something ended it that says nothing about the experiment: a lost node, a rank that hung
  hindered,     ///< it could not begin, or the machine failed under it: so will the next run
};

/// An attempt that has ended.
struct EndedAttempt {
  Ending ending = Ending::done;
  int exit_code = 0;
  std::string message;              ///< one line; empty for done and stopped
  std::vector<std::string> words;   ///< hindered: the last lines that program and launcher printed
  Reason reason = Reason::unknown;  ///< of failed and interrupted
};

/// What an attempt is judged against: how things were when it began.
struct AttemptBegin {
  std::uintmax_t output = 0;           ///< bytes of the run's output
  std::int64_t killed_for_memory = 0;  ///< base/memory.hpp
};

/// Judges an attempt by what it left in the store and by the launcher's exit code, 128 + number for a signal.
/// `command` is what was started, `before` how things were then, `stop_requested` whether it was told to
/// stop.
///
/// The program's own report decides (report.hpp). Without one, exit codes 1 and 2 are the launcher's, or
/// those of a program that blames the machine, unless its last word is the watchdog's (mpi/watchdog.hpp), who
/// misses a rank. Other codes, 0 included (srun, when a node is lost), come from outside. What was out of
/// memory has failed: with as much memory it would be so again.
EndedAttempt judge(const RunStore& store, const std::string& identity,
                   const std::vector<std::string>& command, const AttemptBegin& before, int exit_code,
                   bool stop_requested);

}  // namespace adapt
