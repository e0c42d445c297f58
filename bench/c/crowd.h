/* Many threads that call at once. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

/* Seconds, from a clock that is never set. */
double crowd_now(void);

/*
 * Calls `call` on so many threads at once; 0, or what a call returned. `*last` gets the seconds until the last
 * returned,
 * `*longest` what the call that waited longest took.
 */
int crowd_run(int threads, int (*call)(void *what), void *what, double *last, double *longest);

#endif
