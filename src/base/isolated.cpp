#include "base/isolated.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define ADAPT_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADAPT_SHADOW_MEMORY 1
#endif
#endif

namespace adapt {
namespace {

/// Marks a child on its command line; the function's name follows.
constexpr std::string_view kOption = "--isolated=";
/// The child's end of the connection.
constexpr int kConnection = STDIN_FILENO;

/// How a call ended, in front of each answer.
enum class Ending : std::uint64_t { result, bad_input, failure, no_memory };

struct Header {
  Ending ending = Ending::result;
  std::uint64_t bytes = 0;  ///< that follow
};

std::vector<const IsolatedFunction*>& functions() {
  static std::vector<const IsolatedFunction*> known;
  return known;
}

/// Whether main() began with serve_isolated(): without it, a child would do what its parent does.
bool& is_served() {
  static bool served = false;
  return served;
}

bool send_all(int socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_all(int socket, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool send_message(int socket, Ending ending, std::span<const std::byte> bytes) {
  const Header header = {ending, bytes.size()};
  return send_all(socket, std::as_bytes(std::span(&header, 1))) && send_all(socket, bytes);
}

struct Message {
  Ending ending = Ending::result;
  std::vector<std::byte> bytes;
};

/// Nothing where the other side is gone. Takes no more memory than it sends.
std::optional<Message> receive_message(int socket) {
  constexpr std::size_t kPiece = std::size_t{1} << 24U;
  Header header;
  if (!receive_all(socket, std::as_writable_bytes(std::span(&header, 1)))) {
    return std::nullopt;
  }
  Message message{header.ending, {}};
  while (message.bytes.size() < header.bytes) {
    const std::size_t before = message.bytes.size();
    message.bytes.resize(before + std::min<std::size_t>(header.bytes - before, kPiece));
    if (!receive_all(socket, std::span(message.bytes).subspan(before))) {
      return std::nullopt;
    }
  }
  return message;
}

/// Lowers (or lifts, up to the hard limit) the soft limit.
void set_limit(__rlimit_resource resource, rlim_t value) {
  rlimit limit = {};
  ::getrlimit(resource, &limit);
  limit.rlim_cur = std::min(value, limit.rlim_max);
  ::setrlimit(resource, &limit);
}

void limit_memory(std::uint64_t bytes) {
#ifdef ADAPT_SHADOW_MEMORY
  static_cast<void>(bytes);  // AddressSanitizer's own memory alone is more
#else
  set_limit(RLIMIT_AS, bytes);
#endif
}

/// So many seconds of processor time from now on.
void limit_time(unsigned seconds) {
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  set_limit(RLIMIT_CPU, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1) + seconds);
}

bool answer(IsolatedFunction::Body body, std::span<const std::byte> argument) {
  const auto say = [](Ending ending, std::string_view text) {
    return send_message(kConnection, ending, std::as_bytes(std::span(text.data(), text.size())));
  };
  try {
    return send_message(kConnection, Ending::result, body(argument));
  } catch (const std::bad_alloc&) {
    return say(Ending::no_memory, "");
  } catch (const BadInput& error) {
    return say(Ending::bad_input, error.what());
  } catch (const std::exception& error) {
    return say(Ending::failure, error.what());
  }
}

[[noreturn]] void serve(IsolatedFunction::Body body) {
  set_limit(RLIMIT_CORE, 0);
  limit_memory(kIsolatedMemory);
  bool heard = true;
  while (heard) {
    limit_time(kIsolatedSeconds);
    const auto request = receive_message(kConnection);
    heard = request && answer(body, request->bytes);
  }
  ::_exit(0);
}

/// Not simply /proc/self/exe: a program that runs others (valgrind) would start itself.
std::string own_program() {
  constexpr const char* kLink = "/proc/self/exe";
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink(kLink, error);
  return !error && std::filesystem::exists(path, error) ? path.string() : kLink;
}

/// Starts this program with one argument and `connection` as its input. Throws MachineFailure.
pid_t spawn(const std::string& argument, int connection) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, connection, kConnection);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  // What stops this process (it may be many: Ctrl-C, scancel) leaves the child to it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    sigaddset(&blocked, number);
  }
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string program = own_program();
  std::string option = argument;
  std::array<char*, 3> words = {program.data(), option.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), &files, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw MachineFailure(concat("cannot start ", program, " as a child: ", std::strerror(error)));
  }
  return child;
}

std::string what_ended(int status) {
  if (!WIFSIGNALED(status)) {
    return concat("its reader ended with exit code ", WEXITSTATUS(status));
  }
  const int number = WTERMSIG(status);
  if (number == SIGXCPU || number == SIGKILL) {
    return concat("reading it takes more than ", kIsolatedSeconds,
                  " seconds of processor time, or was killed");
  }
  return concat("reading it crashes (SIG", ::sigabbrev_np(number), ")");
}

}  // namespace

IsolatedFunction::IsolatedFunction(const char* own_name, Body function) : name_(own_name), body_(function) {
  functions().push_back(this);
}

void serve_isolated(int argc, const char* const* argv) {
  is_served() = true;
  const std::string_view option = argc == 2 ? argv[1] : "";
  if (!option.starts_with(kOption)) {
    return;
  }
  for (const IsolatedFunction* function : functions()) {
    if (option.substr(kOption.size()) == function->name()) {
      serve(function->body());
    }
  }
}

Confinement::Confinement(std::uint64_t memory) {
  limit_memory(std::min(memory, kIsolatedMemory));
  set_limit(RLIMIT_NOFILE, 0);
}

Confinement::~Confinement() {
  limit_memory(kIsolatedMemory);
  set_limit(RLIMIT_NOFILE, RLIM_INFINITY);
}

std::vector<std::byte> IsolatedChild::call(std::span<const std::byte> argument) {
  if (process_ == 0) {
    start();
  }
  const bool asked = send_message(socket_, Ending::result, argument);
  auto message = asked ? receive_message(socket_) : std::nullopt;
  if (!message) {
    throw NoAnswer(stop());
  }
  if (message->ending == Ending::result) {
    return std::move(message->bytes);
  }
  const std::string text(reinterpret_cast<const char*>(message->bytes.data()), message->bytes.size());
  if (message->ending == Ending::bad_input) {
    throw BadInput(text);
  }
  if (message->ending == Ending::no_memory) {
    throw NoAnswer("reading it takes more memory than such a file should");
  }
  throw Failure(text);
}

void IsolatedChild::start() {
  if (!is_served()) {
    throw Failure("main() of this program does not begin with serve_isolated()");
  }
  std::array<int, 2> ends = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw MachineFailure(concat("cannot connect to a child: ", std::strerror(errno)));
  }
  socket_ = ends[0];
  try {
    process_ = spawn(concat(kOption, function_->name()), ends[1]);
  } catch (const Failure&) {
    ::close(ends[1]);
    ::close(socket_);
    throw;
  }
  ::close(ends[1]);
}

std::string IsolatedChild::stop() {
  if (process_ == 0) {
    return "";
  }
  ::close(socket_);  // it ends at the end of its input
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  return what_ended(status);
}

}  // namespace adapt
