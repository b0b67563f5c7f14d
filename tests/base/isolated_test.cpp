// What a child process is for: whatever a function does in it, the parent gets an answer or one error.

#include "base/isolated.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace adapt {
namespace {

std::vector<std::byte> as_bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string opens(const char* path) {
  const int file = ::open(path, O_RDONLY);
  const std::string answer = file < 0 ? std::strerror(errno) : "open";
  ::close(file);
  return answer;
}

/// Does what the argument says.
std::vector<std::byte> obey(std::span<const std::byte> argument) {
  const std::string wish = as_text(argument);
  if (wish == "crash") {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would report it
    ::raise(SIGSEGV);
  } else if (wish == "leave") {
    ::_exit(3);
  } else if (wish == "loop") {
    // The limit's own signal, rather than the time that it stands for.
    ::raise(SIGXCPU);
  } else if (wish == "take memory") {
    const Confinement confinement(std::uint64_t{1} << 30U);
    return std::vector<std::byte>(std::size_t{1} << 31U);
  } else if (wish == "refuse") {
    throw BadInput("what was given is wrong");
  } else if (wish == "fail") {
    throw Failure("it does not work");
  } else if (wish == "confined") {
    const Confinement confinement(kIsolatedMemory);
    return as_bytes(opens("/dev/null"));
  } else if (wish == "process") {
    return as_bytes(std::to_string(::getpid()));
  } else if (wish == "limits") {
    rlimit core = {};
    rlimit time = {};
    ::getrlimit(RLIMIT_CORE, &core);
    ::getrlimit(RLIMIT_CPU, &time);
    return as_bytes(concat(core.rlim_cur, " ", time.rlim_cur));
  } else if (wish == "open") {
    return as_bytes(opens("/dev/null"));
  }
  return as_bytes(wish + wish);
}

const IsolatedFunction kObey("obey", obey);

/// The message of the error that the call throws.
template <class Error>
std::string error_of(IsolatedChild& child, const std::string& wish) {
  try {
    child.call(as_bytes(wish));
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(IsolatedChild, AnswersAsOftenAsItIsAsked) {
  IsolatedChild child(kObey);
  EXPECT_EQ(as_text(child.call(as_bytes("ab"))), "abab");
  EXPECT_EQ(as_text(child.call({})), "");
  const std::string large(std::size_t{40} << 20U, 'x');
  EXPECT_EQ(as_text(child.call(as_bytes(large))), large + large);
  const std::string process = as_text(child.call(as_bytes("process")));
  EXPECT_NE(process, std::to_string(::getpid()));
  EXPECT_EQ(as_text(child.call(as_bytes("process"))), process);
}

TEST(IsolatedChild, ErrorsComeBackAsWhatTheyAre) {
  IsolatedChild child(kObey);
  EXPECT_EQ(error_of<BadInput>(child, "refuse"), "what was given is wrong");
  EXPECT_EQ(error_of<Failure>(child, "fail"), "it does not work");
}

TEST(IsolatedChild, HasLimits) {
  IsolatedChild child(kObey);
  EXPECT_EQ(as_text(child.call(as_bytes("limits"))), concat("0 ", kIsolatedSeconds + 1));
#ifndef __SANITIZE_ADDRESS__  // its own memory lets nobody set a limit
  EXPECT_NE(error_of<NoAnswer>(child, "take memory").find("more memory"), std::string::npos);
#endif
}

TEST(IsolatedChild, ItsEndIsAnErrorAndTheNextCallStartsAnother) {
  IsolatedChild child(kObey);
  EXPECT_NE(error_of<NoAnswer>(child, "crash").find("SIGSEGV"), std::string::npos);
  EXPECT_EQ(as_text(child.call(as_bytes("a"))), "aa");
  EXPECT_NE(error_of<NoAnswer>(child, "loop").find("processor time"), std::string::npos);
  EXPECT_NE(error_of<NoAnswer>(child, "leave").find("exit code 3"), std::string::npos);
  EXPECT_EQ(as_text(child.call(as_bytes("a"))), "aa");
}

TEST(IsolatedChild, MayBeKeptFromOpeningFiles) {
  IsolatedChild child(kObey);
  EXPECT_EQ(as_text(child.call(as_bytes("open"))), "open");
  EXPECT_EQ(as_text(child.call(as_bytes("confined"))), std::strerror(EMFILE));
  EXPECT_EQ(as_text(child.call(as_bytes("open"))), "open") << "at the end of the scope it may again";
}

}  // namespace
}  // namespace adapt
