#include "base/process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"

namespace adapt {
namespace {

constexpr int kSignalled = 128;

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// What execvpe() takes, for a command or an environment.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> words;
  for (const std::string& word : texts) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  return words;
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

/// In the child: a process group of its own, the end with its parent, the default answer to signals.
void detach(pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGXFSZ}) {
    ::signal(number, SIG_DFL);
  }
  if (::getppid() != parent) {
    ::_exit(kSignalled + SIGUSR1);  // it died in between
  }
}

/// In the child. More of them than the system's sets hold are not asked for.
void bind_to(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) {
    CPU_SET(core, &set);
  }
  if (!cores.empty()) {
    ::sched_setaffinity(0, sizeof set, &set);
  }
}

[[noreturn]] void execute(const std::vector<char*>& words, const std::vector<char*>& environment, int output,
                          int error) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(error, STDERR_FILENO);
  ::execvpe(words[0], words.data(), environment.data());
  ::_exit(kNotFound);
}

std::string read_from_start(std::FILE* file) {
  std::string text;
  std::array<char, 4096> piece{};
  std::rewind(file);
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), file)) > 0;) {
    text.append(piece.data(), got);
  }
  return text;
}

}  // namespace

ProcessId process_with(pid_t number) {
  std::ifstream file(concat("/proc/", number, "/stat"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // The name, in parentheses, may hold anything; state is field 3, the start field 22.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return {number, ""};
  }
  std::istringstream fields(text.substr(name_end + 1));
  std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  constexpr std::size_t kStart = 22 - 3;
  const bool dead = words.empty() || words[0] == "Z" || words[0] == "X";
  return {number, dead || words.size() <= kStart ? "" : words[kStart]};
}

bool is_running(const ProcessId& process) {
  return !process.start.empty() && process_with(process.number) == process;
}

std::string process_space() {
  std::error_code ignored;
  return first_line("/proc/sys/kernel/random/boot_id") + " " +
         std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm fields = {};
  ::gmtime_r(&now, &fields);
  std::array<char, sizeof("2000-01-01T00:00:00Z")> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text.data();
}

namespace {

/// Opens a file to append to. A pipe, which would wait for a reader, or a device is refused.
int open_log(const std::filesystem::path& path) {
  const int log =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
  const int error = errno;
  struct stat status = {};
  const bool is_other = log < 0 ? error == ENXIO || error == EISDIR || error == ELOOP
                                : ::fstat(log, &status) != 0 || !S_ISREG(status.st_mode);
  if (is_other) {
    if (log >= 0) {
      ::close(log);
    }
    throw BadInput(concat(path, " is not a regular file; expected one, or nothing"));
  }
  if (log < 0) {
    fail_with(concat("cannot write ", path), error);
  }
  return log;
}

}  // namespace

std::vector<int> own_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) {
        cores.push_back(core);
      }
    }
  }
  return cores;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& output,
                           const Environment& environment, const std::vector<int>& cores) {
  const int log = open_log(output);
  const std::vector<char*> words = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    detach(parent);
    bind_to(cores);
    execute(words, variables, log, log);
  }
  const int reason = errno;
  ::close(log);
  if (child < 0) {
    throw MachineFailure(concat("cannot start ", command[0], ": ", std::strerror(reason)));
  }
  ::setpgid(child, child);  // whoever comes first
  id_ = process_with(child);
}

ChildProcess::~ChildProcess() {
  if (!exit_code_) {
    signal(SIGTERM);
    ::waitpid(id_.number, nullptr, 0);
  }
}

std::optional<int> ChildProcess::poll() {
  int status = 0;
  if (!exit_code_ && ::waitpid(id_.number, &status, WNOHANG) == id_.number) {
    exit_code_ = exit_code_of(status);
  }
  return exit_code_;
}

void ChildProcess::signal(int number) const { ::kill(id_.number, number); }

Captured capture(const std::vector<std::string>& command, const Environment& environment) {
  std::FILE* output = std::tmpfile();
  std::FILE* error = std::tmpfile();
  if (output == nullptr || error == nullptr) {
    throw MachineFailure(concat("cannot make a temporary file: ", std::strerror(errno)));
  }
  const std::vector<char*> words = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  const pid_t child = ::fork();
  if (child == 0) {
    execute(words, variables, ::fileno(output), ::fileno(error));
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Captured result{child < 0 ? kNotFound : exit_code_of(status), read_from_start(output),
                  read_from_start(error)};
  std::fclose(output);
  std::fclose(error);
  return result;
}

}  // namespace adapt
