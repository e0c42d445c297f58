/* 1,000 threads at once that find no token: cold azcred|floor. Prints {"seconds": UNTIL THE LAST HAS ONE}. */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crowd.h"

enum { CALLERS = 1000 };

static const char *const SCOPE = "https://storage.azure.com/.default";

static int get_token(void *credential) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  azcred_token *token = NULL;
  azcred_status status;
  request.scopes = &SCOPE;
  request.scopes_len = 1;
  status = azcred_credential_get_token(credential, &request, &token, NULL);
  azcred_token_free(token);
  return status != AZCRED_OK;
}

/* The floor: the first caller takes what the server takes, the others wait for it. */
struct shared {
  pthread_mutex_t lock;
  pthread_cond_t landed;
  int asked;
  int there;
};

static int wait_once(void *given) {
  struct shared *shared = given;
  struct timespec latency = {0, 50000000};
  pthread_mutex_lock(&shared->lock);
  if (!shared->asked) {
    shared->asked = 1;
    pthread_mutex_unlock(&shared->lock);
    nanosleep(&latency, NULL);
    pthread_mutex_lock(&shared->lock);
    shared->there = 1;
    pthread_cond_broadcast(&shared->landed);
  }
  while (!shared->there) {
    pthread_cond_wait(&shared->landed, &shared->lock);
  }
  pthread_mutex_unlock(&shared->lock);
  return 0;
}

int main(int argc, char **argv) {
  struct shared shared = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
  azcred_credential *credential = NULL;
  double last;
  double longest;
  int failed;
  if (argc == 2 && strcmp(argv[1], "floor") == 0) {
    failed = crowd_run(CALLERS, wait_once, &shared, &last, &longest);
  } else {
    if (azcred_credential_new("ManagedIdentityCredential", NULL, &credential, NULL) != AZCRED_OK) {
      return 1;
    }
    failed = crowd_run(CALLERS, get_token, credential, &last, &longest);
    azcred_credential_free(credential);
  }
  printf("{\"seconds\": %.9f}\n", last);
  return failed;
}
