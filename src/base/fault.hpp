#pragma once

#include <cstdint>
#include <string>

/// Failures on purpose, for tests of what the program does about them. The environment variable ADAPT_FAULT
/// names one: ACTION,phase=NAME[,rank=N][,step=N], without rank or step any. Phases are those that
/// base/phase.hpp begins. Actions: fail (an error), kill (SIGKILL), stop (SIGTERM to itself), stall (sleep
/// for ever), suspend (SIGSTOP to itself: the whole process stands still until SIGCONT), slow (half a second
/// more, each time), memory (there is no more), falsify (a result is wrong, in phases that ask falsifies).
/// All calls from one thread.
namespace adapt::fault {

/// Reads ADAPT_FAULT. Throws BadInput where it is not as above.
void arm(int rank);

/// Whether there is a fault to strike at all.
bool is_armed();

/// Whether the armed fault is that the result of `phase` be wrong: who asks then makes it so.
bool falsifies(const char* phase);

/// The armed fault strikes if it is for this phase and step. Throws Failure for the action fail.
void strike(const std::string& phase, std::int64_t step);

}  // namespace adapt::fault
