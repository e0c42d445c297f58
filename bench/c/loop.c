/* See loop.h. */
#define _GNU_SOURCE
#include "loop.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, MOST = 2 };

struct worker {
  pthread_t thread;
  pthread_barrier_t *begin;
  loop_calls calls;
  void *what;
  long number;
  int processor;
  int failed;
  double seconds;
};

static double now(void) {
  struct timespec moment;
  clock_gettime(CLOCK_MONOTONIC, &moment);
  return (double)moment.tv_sec + 1e-9 * (double)moment.tv_nsec;
}

/* The processor at `place` among those that this process may use. */
static int processor_at(int place) {
  cpu_set_t allowed;
  int number;
  sched_getaffinity(0, sizeof allowed, &allowed);
  place %= CPU_COUNT(&allowed);
  for (number = 0; number < CPU_SETSIZE; ++number) {
    if (CPU_ISSET(number, &allowed) && place-- == 0) {
      return number;
    }
  }
  return 0;
}

static void *work(void *given) {
  struct worker *worker = given;
  cpu_set_t one;
  double begun;
  CPU_ZERO(&one);
  CPU_SET(worker->processor, &one);
  pthread_setaffinity_np(pthread_self(), sizeof one, &one);
  pthread_barrier_wait(worker->begin);
  begun = now();
  worker->failed = worker->calls(worker->what, worker->number);
  worker->seconds = (now() - begun) / (double)worker->number;
  return NULL;
}

/* Seconds per call, as the mean of what each thread saw; negative when a call failed. */
static double together(int threads, loop_calls calls, void *what, long number) {
  struct worker workers[MOST];
  pthread_barrier_t begin;
  double seconds = 0;
  int failed = 0;
  int at;
  pthread_barrier_init(&begin, NULL, (unsigned)threads);
  for (at = 0; at < threads; ++at) {
    workers[at].begin = &begin;
    workers[at].calls = calls;
    workers[at].what = what;
    workers[at].number = number;
    workers[at].processor = processor_at(at);
    if (pthread_create(&workers[at].thread, NULL, work, &workers[at]) != 0) {
      abort();
    }
  }
  for (at = 0; at < threads; ++at) {
    pthread_join(workers[at].thread, NULL);
    seconds += workers[at].seconds / threads;
    failed |= workers[at].failed;
  }
  pthread_barrier_destroy(&begin);
  return failed ? -1 : seconds;
}

static int in_order(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

int loop_main(const char *mode, loop_calls calls, void *what) {
  double spans[MOST][ROUNDS];
  long number;
  int threads;
  int round;
  if (strcmp(mode, "time") != 0) {
    if (calls(what, atol(mode)) != 0) {
      return 1;
    }
    puts("{}");
    return 0;
  }
  /* Batches of some 20 ms, after one that is not looked at. */
  number = (long)(0.02 / together(1, calls, what, 10000)) + 1;
  for (round = -1; round < ROUNDS; ++round) {
    for (threads = 1; threads <= MOST; ++threads) {
      double seconds = together(threads, calls, what, number);
      if (seconds < 0) {
        fputs("a call failed\n", stderr);
        return 1;
      }
      if (round >= 0) {
        spans[threads - 1][round] = seconds;
      }
    }
  }
  for (threads = 0; threads < MOST; ++threads) {
    qsort(spans[threads], ROUNDS, sizeof(double), in_order);
  }
  printf("{\"one\": %.12f, \"two\": %.12f}\n", spans[0][ROUNDS / 2], spans[1][ROUNDS / 2]);
  return 0;
}
