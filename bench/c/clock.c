/*
 * Moves the wall clock of one process, for libraries that have no clock of their own to be set: loaded by LD_PRELOAD,
 * it adds the 64-bit number of seconds in the file BENCH_CLOCK to what clock_gettime, gettimeofday and time say. The
 * boot clock moves too, as if the machine had slept; the monotonic one, which times waits, does not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *moved;

__attribute__((constructor)) static void open_clock(void) {
  const char *name = getenv("BENCH_CLOCK");
  int file = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
  void *there = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *moved, PROT_READ, MAP_SHARED, file, 0);
  if (there == MAP_FAILED) {
    abort();
  }
  moved = there;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *moment) {
  int status = (int)syscall(SYS_clock_gettime, clock, moment);
  if (moved != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_BOOTTIME)) {
    moment->tv_sec += *moved;
  }
  return status;
}

int gettimeofday(struct timeval *restrict moment, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  moment->tv_sec = now.tv_sec;
  moment->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}
