/*
 * Callers while the server stalls: renewal due | renewal other. Prints a line when the token is there and waits for
 * one. `due`: 200 threads ask for a token whose renewal is due. `other`: one thread asks for another scope, and
 * meanwhile this one for the cached one. Prints {"seconds": WHAT THE CALLER THAT WAITED LONGEST WAITED}.
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crowd.h"

enum { CALLERS = 200, LOOKS = 300 };

static azcred_credential *credential;

static int get_token(void *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  const char *scopes[1];
  azcred_token *token = NULL;
  azcred_status status;
  scopes[0] = scope;
  request.scopes = scopes;
  request.scopes_len = 1;
  status = azcred_credential_get_token(credential, &request, &token, NULL);
  azcred_token_free(token);
  return status != AZCRED_OK;
}

static void *fetch(void *scope) {
  get_token(scope);
  return NULL;
}

/* Asks for the cached scope every millisecond while another is being fetched. */
static int look(char *cached, char *other, double *longest) {
  const struct timespec pause = {0, 1000000};
  pthread_t thread;
  int failed = 0;
  int at;
  *longest = 0;
  if (pthread_create(&thread, NULL, fetch, other) != 0) {
    return 1;
  }
  for (at = 0; at < LOOKS; ++at) {
    double begun = crowd_now();
    double spent;
    failed |= get_token(cached);
    spent = crowd_now() - begun;
    if (spent > *longest) {
      *longest = spent;
    }
    nanosleep(&pause, NULL);
  }
  pthread_join(thread, NULL);
  return failed;
}

int main(int argc, char **argv) {
  static char storage[] = "https://storage.azure.com/.default";
  static char vault[] = "https://vault.azure.net/.default";
  char line[16];
  double last;
  double longest;
  int failed;
  if (argc != 2 || azcred_credential_new("ManagedIdentityCredential", NULL, &credential, NULL) != AZCRED_OK ||
      get_token(storage) != 0) {
    return 2;
  }
  puts("warm");
  fflush(stdout);
  if (fgets(line, sizeof line, stdin) == NULL) {
    return 2;
  }
  if (strcmp(argv[1], "due") == 0) {
    failed = crowd_run(CALLERS, get_token, storage, &last, &longest);
  } else {
    failed = look(storage, vault, &longest);
  }
  printf("{\"seconds\": %.9f}\n", longest);
  fflush(stdout);
  /* The renewal is on its way meanwhile. */
  while (getchar() != EOF) {
  }
  azcred_credential_free(credential);
  return failed;
}
