/* Cached calls with one scope in the cache, and with many: scopes NUMBER. Prints seconds. */
#include <azcred.h>
#include <stdio.h>
#include <stdlib.h>

#include "crowd.h"

enum { ROUNDS = 9, LONGEST = 64 };

static azcred_credential *credential;

static void ask(const char *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  request.scopes = &scope;
  request.scopes_len = 1;
  if (azcred_credential_get_token(credential, &request, &token, &error) != AZCRED_OK) {
    fprintf(stderr, "%s\n", azcred_error_message(error));
    exit(1);
  }
  azcred_token_free(token);
}

/* The seconds per call of so many calls, for the scopes in turn. */
static double batch(char (*scopes)[LONGEST], long number, long calls) {
  double begun = crowd_now();
  long at;
  for (at = 0; at < calls; ++at) {
    ask(scopes[at % number]);
  }
  return (crowd_now() - begun) / (double)calls;
}

static int in_order(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

/* Batches of some 20 ms, after one that is not looked at; their median counts. */
static double measured(char (*scopes)[LONGEST], long number) {
  long calls = (long)(0.02 / batch(scopes, number, 20000)) + 1;
  double spans[ROUNDS];
  int round;
  for (round = 0; round < ROUNDS; ++round) {
    spans[round] = batch(scopes, number, calls);
  }
  qsort(spans, ROUNDS, sizeof *spans, in_order);
  return spans[ROUNDS / 2];
}

int main(int argc, char **argv) {
  static char same[1][LONGEST] = {"https://storage.azure.com/.default"};
  long number = argc == 2 ? atol(argv[1]) - 1 : 0;
  char (*many)[LONGEST] = calloc((size_t)(number > 0 ? number : 1), LONGEST);
  double one;
  double filling;
  long at;
  if (number < 1 || many == NULL ||
      azcred_credential_new("ManagedIdentityCredential", NULL, &credential, NULL) != AZCRED_OK) {
    return 2;
  }
  for (at = 0; at < number; ++at) {
    snprintf(many[at], LONGEST, "https://resource-%ld.example.net/.default", at);
  }
  ask(same[0]);
  one = measured(same, 1);
  filling = batch(many, number, number);
  printf("{\"one\": %.12f, \"filling\": %.12f", one, filling);
  printf(", \"many\": %.12f, \"turn\": %.12f}\n", measured(many + number - 1, 1), measured(many, number));
  azcred_credential_free(credential);
  free(many);
  return 0;
}
