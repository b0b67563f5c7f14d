// For LD_PRELOAD: a client of a network file system, which remembers for ADAPT_TEST_ABSENCE_SECONDS that there was no file of a
// name, whoever makes it meanwhile, until it opens the folder or changes it itself. What is made exclusively, linked or renamed
// is decided by the server, that is, at once.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOST 1024

struct absence {
  char folder[PATH_MAX];
  char name[NAME_MAX + 1];
  time_t until;
};

static struct absence absences[MOST];
static int next_absence;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

// Folder and last name of a path, which may be relative to an open folder. 0 where there is no such folder.
static int split(int at, const char *path, char folder[PATH_MAX], char name[NAME_MAX + 1]) {
  char whole[2 * PATH_MAX];
  char copy[2 * PATH_MAX];
  if (path[0] == '/' || at == AT_FDCWD) {
    snprintf(whole, sizeof whole, "%s", path);
  } else {
    snprintf(whole, sizeof whole, "/proc/self/fd/%d/%s", at, path);
  }
  snprintf(copy, sizeof copy, "%s", whole);
  snprintf(name, NAME_MAX + 1, "%s", basename(copy));
  snprintf(copy, sizeof copy, "%s", whole);
  return realpath(dirname(copy), folder) != NULL;
}

static struct absence *find(const char *folder, const char *name) {
  const time_t present = now();
  for (int i = 0; i < MOST; ++i) {
    if (absences[i].until > present && strcmp(absences[i].folder, folder) == 0 && strcmp(absences[i].name, name) == 0) {
      return &absences[i];
    }
  }
  return NULL;
}

// Whether the file is remembered not to be there; sets errno.
static int is_absent(int at, const char *path) {
  char folder[PATH_MAX];
  char name[NAME_MAX + 1];
  const int before = errno;
  pthread_mutex_lock(&mutex);
  const int absent = split(at, path, folder, name) && find(folder, name) != NULL;
  pthread_mutex_unlock(&mutex);
  errno = absent ? ENOENT : before;
  return absent;
}

// Remembers that a look has failed because there was no such file. Returns `failed`.
static int noted(int failed, int at, const char *path) {
  struct absence found;
  const char *seconds = getenv("ADAPT_TEST_ABSENCE_SECONDS");
  if (!failed || errno != ENOENT || seconds == NULL) {
    return failed;
  }
  pthread_mutex_lock(&mutex);
  if (split(at, path, found.folder, found.name)) {
    found.until = now() + atol(seconds);
    absences[next_absence++ % MOST] = found;
  }
  pthread_mutex_unlock(&mutex);
  errno = ENOENT;
  return failed;
}

static void forget_folder(const char *folder) {
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < MOST; ++i) {
    if (strcmp(absences[i].folder, folder) == 0) {
      absences[i].until = 0;
    }
  }
  pthread_mutex_unlock(&mutex);
}

// The folder that holds the file was changed by this client.
static void changed(int at, const char *path) {
  char folder[PATH_MAX];
  char name[NAME_MAX + 1];
  const int before = errno;
  if (split(at, path, folder, name)) {
    forget_folder(folder);
  }
  errno = before;
}

// A folder was opened.
static void opened(int descriptor) {
  char link[64];
  char folder[PATH_MAX];
  struct stat status;
  const int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode) && realpath(link, folder) != NULL) {
    forget_folder(folder);
  }
  errno = before;
}

#define DEFINE_STAT(name, type)                                                        \
  int name(const char *path, struct type *status) {                                    \
    return is_absent(AT_FDCWD, path)                                                   \
               ? -1                                                                    \
               : -noted(REAL(int, #name, const char *, struct type *)(path, status) != 0, AT_FDCWD, path); \
  }

DEFINE_STAT(stat, stat)
DEFINE_STAT(lstat, stat)
DEFINE_STAT(stat64, stat64)
DEFINE_STAT(lstat64, stat64)

int access(const char *path, int mode) {
  return is_absent(AT_FDCWD, path) ? -1 : -noted(REAL(int, "access", const char *, int)(path, mode) != 0, AT_FDCWD, path);
}

static int open_any(const char *function, int at, const char *path, int flags, mode_t mode) {
  const int makes = (flags & O_CREAT) != 0;
  if (!makes && is_absent(at, path)) {
    return -1;
  }
  const int descriptor = at == AT_FDCWD ? REAL(int, function, const char *, int, ...)(path, flags, mode)
                                        : REAL(int, function, int, const char *, int, ...)(at, path, flags, mode);
  if (makes) {
    changed(at, path);
  } else {
    noted(descriptor < 0, at, path);
    opened(descriptor);
  }
  return descriptor;
}

#define MODE_OF(flags, mode)              \
  mode_t mode = 0;                        \
  if (((flags)&O_CREAT) != 0) {           \
    va_list arguments;                    \
    va_start(arguments, flags);           \
    mode = va_arg(arguments, mode_t);     \
    va_end(arguments);                    \
  }

#define DEFINE_OPEN(name)                                 \
  int name(const char *path, int flags, ...) {            \
    MODE_OF(flags, mode)                                  \
    return open_any(#name, AT_FDCWD, path, flags, mode);  \
  }

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name, alone)                                               \
  int name(int at, const char *path, int flags, ...) {                           \
    MODE_OF(flags, mode)                                                         \
    return open_any(at == AT_FDCWD ? alone : #name, at, path, flags, mode);      \
  }

DEFINE_OPENAT(openat, "open")
DEFINE_OPENAT(openat64, "open64")

#define DEFINE_FOPEN(name)                                                              \
  FILE *name(const char *path, const char *mode) {                                      \
    if (mode[0] == 'r' && is_absent(AT_FDCWD, path)) {                                  \
      return NULL;                                                                      \
    }                                                                                   \
    FILE *file = REAL(FILE *, #name, const char *, const char *)(path, mode);           \
    noted(mode[0] == 'r' && file == NULL, AT_FDCWD, path);                              \
    return file;                                                                        \
  }

DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

DIR *opendir(const char *path) {
  DIR *folder = REAL(DIR *, "opendir", const char *)(path);
  if (folder != NULL) {
    opened(dirfd(folder));
  }
  return folder;
}

int linkat(int from, const char *old, int to, const char *path, int flags) {
  const int status = REAL(int, "linkat", int, const char *, int, const char *, int)(from, old, to, path, flags);
  changed(to, path);
  return status;
}

int renameat(int from, const char *old, int to, const char *path) {
  const int status = REAL(int, "renameat", int, const char *, int, const char *)(from, old, to, path);
  changed(to, path);
  return status;
}

int unlinkat(int at, const char *path, int flags) {
  const int status = REAL(int, "unlinkat", int, const char *, int)(at, path, flags);
  changed(at, path);
  return status;
}

int mkdir(const char *path, mode_t mode) {
  const int status = REAL(int, "mkdir", const char *, mode_t)(path, mode);
  changed(AT_FDCWD, path);
  return status;
}

int unlink(const char *path) {
  const int status = REAL(int, "unlink", const char *)(path);
  changed(AT_FDCWD, path);
  return status;
}
