/*
 * Many threads that do everything at once with the same and with their own objects, as a stranger would; each token
 * must be whole, and each call must come to its end. It runs where IDENTITY_ENDPOINT and IDENTITY_HEADER name an
 * emulator. usage: stress THREADS SECONDS TURNS [racy]; it ends after so many seconds, or so many turns of each thread.
 * What is racy reads a count without its lock: whoever looks for races has to find that one.
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

#define MOST_THREADS 64
#define SCOPES 32

/* What all threads use. */
static azcred_credential *shared;

/* A token and a cancellation that another thread will deal with. */
static struct {
  pthread_mutex_t mutex;
  azcred_token *token;
  azcred_cancel *cancel;
} basket = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL};

/* Calls that were started, and those that told their end. */
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  long started, tokens, errors, freed;
} calls = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0};

static bool racy;

/* One thread. */
struct worker {
  pthread_t thread;
  unsigned long seed;
  long turns, most, seen;
  time_t end;
};

static unsigned pick(struct worker *worker, unsigned below) {
  worker->seed = worker->seed * 6364136223846793005UL + 1442695040888963407UL;
  return (unsigned)(worker->seed >> 33) % below;
}

/* A request in memory of its own, which goes when the call has returned: azcred borrows it no longer than that. */
struct question {
  azcred_token_request request;
  const char *scopes[1];
  char scope[64], claims[64];
};

static struct question *asked(struct worker *worker) {
  static const azcred_token_request empty = AZCRED_TOKEN_REQUEST_INIT;
  struct question *question = malloc(sizeof *question);
  CHECK(question != NULL);
  question->request = empty;
  question->request.scopes = question->scopes;
  question->request.scopes_len = 1;
  question->scopes[0] = question->scope;
  sprintf(question->scope, "https://stress-%u.example/.default", pick(worker, SCOPES));
  if (pick(worker, 64) == 0) {
    /* A challenge: the token in the cache won't do, and there is something to wait for. */
    sprintf(question->claims, "{\"access_token\":{\"nbf\":{\"value\":\"%u\"}}}", pick(worker, 1000000));
    question->request.claims = question->claims;
  }
  return question;
}

static void forget(struct question *question) {
  memset(question, 0xff, sizeof *question);
  free(question);
}

static void look_at(const azcred_token *token) {
  const char *secret = azcred_token_secret(token);
  CHECK(strlen(secret) == azcred_token_secret_len(token) && strncmp(secret, "ey", 2) == 0);
  CHECK(azcred_token_authorization(token) + 7 == secret);
  CHECK(azcred_token_expires_on(token) > time(NULL));
  CHECK(strcmp(azcred_token_source(token), "app_service") == 0);
}

static azcred_credential *own(struct worker *worker) {
  static const char *const ids[] = {"33333333-3333-3333-3333-333333333330", "33333333-3333-3333-3333-333333333331",
                                    "33333333-3333-3333-3333-333333333332"};
  azcred_options *options = azcred_options_new();
  azcred_credential *credential = NULL, *chain = NULL;
  CHECK(azcred_options_set_text(options, "client_id", ids[pick(worker, 3)], NULL) == AZCRED_OK);
  CHECK(azcred_credential_new("ManagedIdentityCredential", options, &credential, NULL) == AZCRED_OK);
  azcred_options_free(options);
  if (pick(worker, 2) == 0) {
    const azcred_credential *members[1];
    members[0] = credential;
    CHECK(azcred_credential_new_chain(members, 1, &chain, NULL) == AZCRED_OK);
    azcred_credential_free(credential);
    credential = chain;
  }
  return credential;
}

/* Lets another thread free it. */
static void hand_over(azcred_token *token) {
  pthread_mutex_lock(&basket.mutex);
  {
    azcred_token *before = basket.token;
    basket.token = token;
    token = before;
  }
  pthread_mutex_unlock(&basket.mutex);
  azcred_token_free(token);
}

/* Lets another thread trigger it. */
static void hand_over_cancel(azcred_cancel *cancel) {
  pthread_mutex_lock(&basket.mutex);
  {
    azcred_cancel *before = basket.cancel;
    basket.cancel = cancel;
    cancel = before;
  }
  pthread_mutex_unlock(&basket.mutex);
  azcred_cancel_trigger(cancel);
  azcred_cancel_free(cancel);
}

static void note(void *user_data, azcred_token *token, azcred_error *error) {
  long *kind = token != NULL ? &calls.tokens : &calls.errors;
  CHECK((token == NULL) != (error == NULL));
  if (error != NULL) {
    azcred_status status = azcred_error_status(error);
    CHECK(status == AZCRED_CANCELLED || status == AZCRED_TIMED_OUT);
    CHECK(azcred_error_message(error)[0] != '\0');
    azcred_error_free(error);
  } else {
    look_at(token);
    hand_over(token);
  }
  pthread_mutex_lock(&calls.mutex);
  ++*kind;
  ++*(int *)user_data;
  pthread_mutex_unlock(&calls.mutex);
}

static void note_free(void *user_data) {
  pthread_mutex_lock(&calls.mutex);
  CHECK(*(int *)user_data == 1); /* the completion came, once */
  ++calls.freed;
  pthread_cond_signal(&calls.changed);
  pthread_mutex_unlock(&calls.mutex);
  free(user_data);
}

static void start(struct worker *worker, const azcred_credential *credential, const azcred_token_request *request) {
  int *user_data = malloc(sizeof *user_data);
  CHECK(user_data != NULL);
  *user_data = 0;
  pthread_mutex_lock(&calls.mutex);
  ++calls.started;
  pthread_mutex_unlock(&calls.mutex);
  CHECK(azcred_credential_get_token_async(credential, request, note, user_data, note_free, NULL) == AZCRED_OK);
  if (racy) {
    worker->seen = calls.tokens; /* which azcred's thread counts */
  }
}

static void turn(struct worker *worker) {
  struct question *question = asked(worker);
  azcred_token_request *request = &question->request;
  azcred_credential *credential = shared;
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  azcred_status status;
  if (pick(worker, 2) == 0) {
    credential = own(worker);
  }
  switch (pick(worker, 6)) {
    case 0: /* wait for it */
      CHECK(azcred_credential_get_token(credential, request, &token, &error) == AZCRED_OK && error == NULL);
      look_at(token);
      hand_over(token);
      break;
    case 1: /* be told */
      start(worker, credential, request);
      break;
    case 2: { /* leave, by another thread's hand or the own one */
      azcred_cancel *cancel = azcred_cancel_new();
      request->cancel = cancel;
      start(worker, credential, request);
      if (pick(worker, 2) == 0) {
        azcred_cancel_trigger(cancel);
        azcred_cancel_free(cancel);
      } else {
        hand_over_cancel(cancel);
      }
      break;
    }
    case 3: /* have little patience */
      request->timeout_ms = 1;
      status = azcred_credential_get_token(credential, request, &token, &error);
      CHECK(status == AZCRED_OK || status == AZCRED_TIMED_OUT);
      CHECK((status == AZCRED_OK) == (token != NULL) && (status == AZCRED_OK) == (error == NULL));
      azcred_token_free(token);
      azcred_error_free(error);
      break;
    case 4: { /* make a provider of it */
      azcred_bearer_token_provider *provider = NULL;
      CHECK(azcred_bearer_token_provider_new(credential, request, &provider, NULL) == AZCRED_OK);
      CHECK(azcred_bearer_token_provider_get(provider, &token, NULL) == AZCRED_OK);
      azcred_bearer_token_provider_free(provider);
      look_at(token);
      azcred_token_free(token);
      break;
    }
    default: /* call it wrongly */
      strcpy(question->scope, "bad scope");
      CHECK(azcred_credential_get_token(credential, request, &token, &error) == AZCRED_INVALID_ARGUMENT);
      CHECK(strstr(azcred_error_message(error), question->scope) != NULL);
      azcred_error_free(error);
  }
  forget(question);
  if (credential != shared) {
    azcred_credential_free(credential); /* also while its calls are in progress */
  }
}

static void *work(void *given) {
  struct worker *worker = given;
  while (worker->turns < worker->most && time(NULL) < worker->end) {
    turn(worker);
    ++worker->turns;
  }
  return NULL;
}

int main(int argc, char **argv) {
  static struct worker workers[MOST_THREADS];
  int count, at;
  long turns = 0;
  CHECK(argc == 4 || argc == 5);
  racy = argc == 5;
  count = atoi(argv[1]);
  CHECK(count > 0 && count <= MOST_THREADS);
  CHECK(azcred_credential_new("ManagedIdentityCredential", NULL, &shared, NULL) == AZCRED_OK);
  for (at = 0; at < count; ++at) {
    workers[at].seed = (unsigned long)at + 1;
    workers[at].end = time(NULL) + atoi(argv[2]);
    workers[at].most = atol(argv[3]);
    CHECK(pthread_create(&workers[at].thread, NULL, work, &workers[at]) == 0);
  }
  for (at = 0; at < count; ++at) {
    pthread_join(workers[at].thread, NULL);
    turns += workers[at].turns;
  }
  azcred_credential_free(shared);
  pthread_mutex_lock(&calls.mutex);
  while (calls.freed < calls.started) {
    pthread_cond_wait(&calls.changed, &calls.mutex);
  }
  CHECK(calls.tokens + calls.errors == calls.started);
  printf("{\"turns\": %ld, \"calls\": %ld, \"tokens\": %ld, \"errors\": %ld}\n", turns, calls.started, calls.tokens,
         calls.errors);
  pthread_mutex_unlock(&calls.mutex);
  hand_over(NULL);
  hand_over_cancel(NULL);
  return 0;
}
