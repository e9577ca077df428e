// Lets a waiting MPI rank really give up its core, for tests with more ranks than cores.
//
// With mpi_yield_when_idle, Open MPI calls sched_yield in a loop while it waits. Linux lets the caller run on almost at
// once, so waiting ranks take half of the processor time from those that compute. Loaded by scripts/mpirun.sh before the
// C library, this sched_yield sleeps when it is called again and again.

#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Calls that follow each other within this time belong to one wait.
static const long together_ns = 20000;
// A wait as long as this many calls is worth a sleep.
static const int calls_before_sleep = 50;
static const struct timespec nap = {0, 100000};

int sched_yield(void) {
  static __thread struct timespec last;
  static __thread int calls;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long elapsed = (now.tv_sec - last.tv_sec) * 1000000000L + now.tv_nsec - last.tv_nsec;
  calls = elapsed < together_ns ? calls + 1 : 0;
  if (calls < calls_before_sleep) {
    last = now;
    return (int)syscall(SYS_sched_yield);
  }
  nanosleep(&nap, 0);
  clock_gettime(CLOCK_MONOTONIC, &last);
  return 0;
}
