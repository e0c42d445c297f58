/* How the C programs here measure: a loop of calls, on one thread and on several at once, each on a processor of its
 * own. */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

/* Makes so many calls; 0, or what went wrong. */
typedef int (*loop_calls)(void *what, long number);

/*
 * main's second half: `PROGRAM … time` prints {"one": SECONDS, "two": SECONDS} per call, for one thread and for two;
 * `PROGRAM … NUMBER` makes so many calls and prints {}, for who counts instructions.
 */
int loop_main(const char *mode, loop_calls calls, void *what);

#endif
