/* See crowd.h. */
#define _GNU_SOURCE
#include "crowd.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct caller {
  pthread_t thread;
  pthread_barrier_t *begin;
  int (*call)(void *what);
  void *what;
  double began;
  double ended;
  int failed;
};

double crowd_now(void) {
  struct timespec moment;
  clock_gettime(CLOCK_MONOTONIC, &moment);
  return (double)moment.tv_sec + 1e-9 * (double)moment.tv_nsec;
}

static void *run(void *given) {
  struct caller *caller = given;
  pthread_barrier_wait(caller->begin);
  caller->began = crowd_now();
  caller->failed = caller->call(caller->what);
  caller->ended = crowd_now();
  return NULL;
}

int crowd_run(int threads, int (*call)(void *what), void *what, double *last, double *longest) {
  struct caller *callers = calloc((size_t)threads, sizeof *callers);
  pthread_barrier_t begin;
  pthread_attr_t small;
  double begun;
  int failed = 0;
  int at;
  if (callers == NULL) {
    abort();
  }
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 * 1024);
  pthread_barrier_init(&begin, NULL, (unsigned)threads + 1);
  for (at = 0; at < threads; ++at) {
    callers[at].begin = &begin;
    callers[at].call = call;
    callers[at].what = what;
    if (pthread_create(&callers[at].thread, &small, run, &callers[at]) != 0) {
      abort();
    }
  }
  begun = crowd_now();
  pthread_barrier_wait(&begin);
  *last = 0;
  *longest = 0;
  for (at = 0; at < threads; ++at) {
    pthread_join(callers[at].thread, NULL);
    failed |= callers[at].failed;
    if (callers[at].ended - begun > *last) {
      *last = callers[at].ended - begun;
    }
    if (callers[at].ended - callers[at].began > *longest) {
      *longest = callers[at].ended - callers[at].began;
    }
  }
  pthread_attr_destroy(&small);
  pthread_barrier_destroy(&begin);
  free(callers);
  return failed;
}
