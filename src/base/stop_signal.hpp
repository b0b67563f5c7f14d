#pragma once

namespace adapt {

/// From now on SIGTERM and SIGUSR1 only set a flag, which long work asks for where it can stop in order.
/// SIGXFSZ is ignored, so that a limit on file sizes is an error of the write like a full disk.
void catch_stop_signals();

/// The same for SIGINT (Ctrl-C), the first time; a second one ends the program at once.
void catch_interrupt();

/// Whether one of them came since.
bool stop_requested();

}  // namespace adapt
