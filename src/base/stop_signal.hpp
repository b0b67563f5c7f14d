#pragma once

#include "base/error.hpp"

namespace adapt {

/// A stop signal came while a run was being prepared: exit code 75.
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

/// For work before the first step, of which nothing is lost: throws Stopped where one of them came. Others
/// than those who called catch_stop_signals never see it.
void check_stop();

}  // namespace adapt
