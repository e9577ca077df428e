// Takes the locks away from all file systems, for tests: as on Lustre mounted with `noflock`, or on NFS without its lock
// service, every request for one fails with the error whose number is in NO_LOCKS. Loaded by scripts/test/locks.sh before
// the C library.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(void) {
  const char *number = getenv("NO_LOCKS");
  errno = number ? atoi(number) : ENOSYS;
  return -1;
}

int flock(int descriptor, int operation) {
  (void)descriptor;
  (void)operation;
  return refuse();
}

static int forward(int descriptor, int command, void *argument) {
  switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return refuse();
    default:
      return (int)syscall(SYS_fcntl, descriptor, command, argument);
  }
}

// Every command has at most one argument, no wider than a pointer.
int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  return forward(descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  return forward(descriptor, command, argument);
}
