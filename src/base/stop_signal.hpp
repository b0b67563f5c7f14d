#pragma once

#include "base/error.hpp"

namespace adapt {

/// A stop signal came, and what was under way was left: exit code 75. Nobody who keeps what came before lets
/// it out; so it says that nothing did.
class Stopped : public Error {
 public:
  Stopped();
};

/// From now on SIGTERM and SIGUSR1 only set a flag, which long work asks for where it can stop in order.
/// SIGXFSZ is ignored, so that a limit on file sizes is an error of the write like a full disk.
void catch_stop_signals();

/// The same for SIGINT (Ctrl-C), the first time; a second one ends the program at once.
void catch_interrupt();

/// Whether one of them came since.
bool stop_requested();

/// For work that can be left at any point, as it is done again: throws Stopped where one of them came. Others
/// than those who called catch_stop_signals never see it.
void check_stop();

}  // namespace adapt
