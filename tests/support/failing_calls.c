// For LD_PRELOAD: what a machine may do to its users.
//  - ADAPT_TEST_CLOCK_OFFSET=s: the clock of this machine is s seconds ahead of that of the file system.
//  - Every lock (flock, fcntl, lockf) fails with ENOLCK, as on a network file system without a lock manager.
//  - ADAPT_TEST_OPEN_ERRNO=n: opening a file named run.h5 fails with error n.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
  int (*real)(clockid_t, struct timespec *) =
      (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const int status = real(clock, time);
  const char *offset = getenv("ADAPT_TEST_CLOCK_OFFSET");
  if (status == 0 && clock == CLOCK_REALTIME && offset != NULL) {
    time->tv_sec += atol(offset);
  }
  return status;
}

static int fails_to_open(const char *path) {
  const char *number = getenv("ADAPT_TEST_OPEN_ERRNO");
  const char *slash = strrchr(path, '/');
  if (number == NULL || strcmp(slash == NULL ? path : slash + 1, "run.h5") != 0) {
    return 0;
  }
  errno = atoi(number);
  return 1;
}

static int no_lock(void) {
  errno = ENOLCK;
  return -1;
}

int flock(int descriptor, int operation) {
  (void)descriptor;
  (void)operation;
  return no_lock();
}

int lockf(int descriptor, int command, off_t length) {
  (void)descriptor;
  (void)command;
  (void)length;
  return no_lock();
}

static int is_lock(int command) {
  return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

#define DEFINE_FCNTL(name)                                                  \
  int name(int descriptor, int command, ...) {                              \
    va_list arguments;                                                      \
    va_start(arguments, command);                                           \
    void *argument = va_arg(arguments, void *);                             \
    va_end(arguments);                                                      \
    if (is_lock(command)) {                                                 \
      return no_lock();                                                     \
    }                                                                       \
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name); \
    return real(descriptor, command, argument);                             \
  }

DEFINE_FCNTL(fcntl)
DEFINE_FCNTL(fcntl64)

#define DEFINE_OPEN(name)                                                   \
  int name(const char *path, int flags, ...) {                              \
    va_list arguments;                                                      \
    va_start(arguments, flags);                                             \
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0; \
    va_end(arguments);                                                      \
    if (fails_to_open(path)) {                                              \
      return -1;                                                            \
    }                                                                       \
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
    return real(path, flags, mode);                                         \
  }

DEFINE_OPEN(open)
DEFINE_OPEN(open64)
