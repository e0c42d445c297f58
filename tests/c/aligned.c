/*
 * Asks for the same tokens at the moments that it is given, and prints what it got each time and how long that took.
 * usage: aligned CREDENTIAL SCOPES MOMENTS, lists with commas; moments are Unix seconds
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 8

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void sleep_until(double moment) {
  double left;
  while ((left = moment - now()) > 0) {
    struct timespec pause;
    pause.tv_sec = (time_t)left;
    pause.tv_nsec = (long)((left - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
  }
}

static int split(char *list, char **parts) {
  int count = 0;
  for (list = strtok(list, ","); list != NULL && count < MOST; list = strtok(NULL, ",")) {
    parts[count++] = list;
  }
  return count;
}

int main(int argc, char **argv) {
  char *scopes[MOST], *moments[MOST];
  azcred_credential *credential = NULL;
  azcred_error *error = NULL;
  int number, rounds, at, round;

  if (argc != 4) {
    return 2;
  }
  number = split(argv[2], scopes);
  rounds = split(argv[3], moments);
  if (azcred_credential_new(argv[1], NULL, &credential, &error) != AZCRED_OK) {
    return 3;
  }
  printf("{\"told\":[");
  for (round = 0; round < rounds; ++round) {
    double begun;
    sleep_until(strtod(moments[round], NULL));
    begun = now();
    printf(round == 0 ? "[" : ",[");
    for (at = 0; at < number; ++at) {
      const char *scope[1];
      azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
      azcred_token *token = NULL;
      scope[0] = scopes[at];
      request.scopes = scope;
      request.scopes_len = 1;
      if (azcred_credential_get_token(credential, &request, &token, &error) != AZCRED_OK) {
        fprintf(stderr, "%s\n", azcred_error_message(error));
        return 4;
      }
      printf("\"%s\",", azcred_token_secret(token));
      azcred_token_free(token);
    }
    printf("%f]", now() - begun);
  }
  printf("]}\n");
  azcred_credential_free(credential);
  return 0;
}
