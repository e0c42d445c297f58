/*
 * Many callers at once, by a program that uses azcred.h as a stranger would.
 * Those that get a token run where IDENTITY_ENDPOINT and IDENTITY_HEADER name an emulator; those that fail, and the one
 * that stalls, where AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST and SSL_CERT_FILE do.
 * usage: herd SCENARIO
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "tally.h"

#define MANY 1000
#define FAILING 200
#define SLOW_MS 50
/* A thousand stacks of the usual eight megabytes would be more than some machines give. */
#define STACK ((size_t)128 * 1024)

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static azcred_token_request request_for(const char *const *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  request.scopes = scope;
  request.scopes_len = 1;
  request.timeout_ms = 100000;
  return request;
}

static azcred_credential *managed_identity(void) {
  azcred_credential *credential = NULL;
  CHECK(azcred_credential_new("ManagedIdentityCredential", NULL, &credential, NULL) == AZCRED_OK);
  return credential;
}

/* An application that never asks twice, and has more patience than any server here. */
static azcred_credential *application(void) {
  static const struct {
    const char *option, *variable;
  } texts[] = {{"tenant_id", "AZURE_TENANT_ID"},
               {"client_id", "AZURE_CLIENT_ID"},
               {"client_secret", "AZURE_CLIENT_SECRET"},
               {"authority", "AZURE_AUTHORITY_HOST"}};
  azcred_options *options = azcred_options_new();
  azcred_credential *credential = NULL;
  size_t at;
  for (at = 0; at < sizeof texts / sizeof texts[0]; ++at) {
    CHECK(azcred_options_set_text(options, texts[at].option, getenv(texts[at].variable), NULL) == AZCRED_OK);
  }
  CHECK(azcred_options_set_bool(options, "disable_instance_discovery", true, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_int(options, "retry_total", 0, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_int(options, "read_timeout", 100, NULL) == AZCRED_OK);
  CHECK(azcred_credential_new("ClientSecretCredential", options, &credential, NULL) == AZCRED_OK);
  azcred_options_free(options);
  return credential;
}

/* One caller on a thread of its own. */
struct caller {
  pthread_t thread;
  const azcred_credential *credential;
  pthread_barrier_t *barrier;
  const char *const *scope;
  azcred_status status;
  azcred_token *token;
  double took_ms;
};

static void *ask(void *given) {
  struct caller *caller = given;
  azcred_token_request request = request_for(caller->scope);
  double began;
  pthread_barrier_wait(caller->barrier);
  began = now_ms();
  caller->status = azcred_credential_get_token(caller->credential, &request, &caller->token, NULL);
  caller->took_ms = now_ms() - began;
  return NULL;
}

/* Has `many` threads ask at once. */
static void ask_together(struct caller *callers, int many, const azcred_credential *credential,
                         const char *const *scope) {
  pthread_barrier_t barrier;
  pthread_attr_t small;
  int at;
  CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, STACK) == 0);
  pthread_barrier_init(&barrier, NULL, (unsigned)many);
  for (at = 0; at < many; ++at) {
    callers[at].credential = credential;
    callers[at].barrier = &barrier;
    callers[at].scope = scope;
    callers[at].token = NULL;
    CHECK(pthread_create(&callers[at].thread, &small, ask, &callers[at]) == 0);
  }
  for (at = 0; at < many; ++at) {
    pthread_join(callers[at].thread, NULL);
  }
  pthread_barrier_destroy(&barrier);
  pthread_attr_destroy(&small);
}

static void threads(void) {
  static const char *const scope = "https://herd-threads.example/.default";
  static struct caller callers[MANY];
  azcred_credential *credential = managed_identity();
  int at;
  ask_together(callers, MANY, credential, &scope);
  for (at = 0; at < MANY; ++at) {
    CHECK(callers[at].status == AZCRED_OK);
    CHECK(strcmp(azcred_token_secret(callers[at].token), azcred_token_secret(callers[0].token)) == 0);
  }
  for (at = 0; at < MANY; ++at) {
    azcred_token_free(callers[at].token);
  }
  azcred_credential_free(credential);
}

static void callbacks(void) {
  static const char *const scope = "https://herd-callbacks.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  struct tally tally;
  int at;
  tally_init(&tally);
  for (at = 0; at < MANY; ++at) {
    CHECK(azcred_credential_get_token_async(credential, &request, count, &tally, count_free, NULL) == AZCRED_OK);
  }
  azcred_credential_free(credential); /* calls in progress end by themselves */
  tally_wait(&tally, MANY);
  CHECK(tally.tokens == MANY && tally.errors == 0 && tally.freed == MANY);
}

/* The way to the server is open before the herd comes: what is measured is the waiting. */
static azcred_credential *connected(void) {
  const char *scope = getenv("BEFORE");
  azcred_credential *credential = application();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  azcred_token_free(token);
  return credential;
}

/* Expects an emulator that answers the second request with an error; prints how long the slowest caller waited. The
 * variables BEFORE and FAILING are the scopes. */
static void failing_threads(void) {
  const char *scope = getenv("FAILING");
  static struct caller callers[FAILING];
  azcred_credential *credential = connected();
  double slowest = 0;
  int at;
  ask_together(callers, FAILING, credential, &scope);
  for (at = 0; at < FAILING; ++at) {
    CHECK(callers[at].status == AZCRED_TRANSIENT && callers[at].token == NULL);
    slowest = callers[at].took_ms > slowest ? callers[at].took_ms : slowest;
  }
  printf("%.0f\n", slowest);
  azcred_credential_free(credential);
}

/* As above. */
static void failing_callbacks(void) {
  const char *scope = getenv("FAILING");
  azcred_credential *credential = connected();
  azcred_token_request request = request_for(&scope);
  struct tally tally;
  double began;
  int at;
  tally_init(&tally);
  began = now_ms();
  for (at = 0; at < FAILING; ++at) {
    CHECK(azcred_credential_get_token_async(credential, &request, count, &tally, count_free, NULL) == AZCRED_OK);
  }
  tally_wait(&tally, FAILING);
  printf("%.0f\n", now_ms() - began);
  CHECK(tally.errors == FAILING && tally.tokens == 0 && tally.last == AZCRED_TRANSIENT);
  azcred_credential_free(credential);
}

/* Waits for a line on standard input. */
static void wait_for_word(void) {
  int byte;
  do {
    byte = getchar();
    CHECK(byte != EOF);
  } while (byte != '\n');
}

static void say(const char *word) {
  printf("%s\n", word);
  fflush(stdout);
}

/* A live token of the cache; how long it took. */
static double read_cached(const azcred_credential *credential, const char *const *scope) {
  azcred_token_request request = request_for(scope);
  azcred_token *token = NULL;
  double began = now_ms(), took;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  took = now_ms() - began;
  azcred_token_free(token);
  return took;
}

/* The conversation is that of tests/python/test_herds.py. */
static void stalled(void) {
  static const char *const first = "https://stall-first.example/.default";
  static const char *const due = "https://stall-due.example/.default";
  static const char *const live = "https://stall-live.example/.default";
  static const char *const later = "https://stall-later.example/.default";
  const struct timespec pause = {0, 5000000};
  azcred_credential *credential = application();
  azcred_token_request request = request_for(&first);
  struct tally tally;
  double slowest = 0, took, first_took, end;
  long reads = 0, slow = 0;
  tally_init(&tally);
  read_cached(credential, &due);
  read_cached(credential, &live);
  say("held");
  wait_for_word();
  CHECK(azcred_credential_get_token_async(credential, &request, count, &tally, count_free, NULL) == AZCRED_OK);
  wait_for_word();
  slowest = read_cached(credential, &due); /* starts a renewal, which stalls too */
  say("due");
  wait_for_word();
  first_took = read_cached(credential, &later);
  end = now_ms() + 1e3 * atof(getenv("STALL"));
  while (now_ms() < end) {
    static const char *const *const scopes[] = {&due, &live, &later};
    took = read_cached(credential, scopes[reads % 3]);
    slowest = took > slowest ? took : slowest;
    slow += took >= SLOW_MS;
    ++reads;
    nanosleep(&pause, NULL);
  }
  CHECK(tally.freed == 0);
  printf("{\"reads\": %ld, \"slow\": %ld, \"slowest_ms\": %.3f, \"first_ms\": %.3f}\n", reads, slow, slowest,
         first_took);
  fflush(stdout);
  tally_wait(&tally, 1);
  CHECK(tally.tokens == 1);
  say("landed");
  azcred_credential_free(credential);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } scenarios[] = {{"threads", threads},
                   {"callbacks", callbacks},
                   {"failing_threads", failing_threads},
                   {"failing_callbacks", failing_callbacks},
                   {"stalled", stalled}};
  size_t at;
  CHECK(argc == 2);
  for (at = 0; at < sizeof scenarios / sizeof scenarios[0]; ++at) {
    if (strcmp(argv[1], scenarios[at].name) == 0) {
      scenarios[at].run();
      return 0;
    }
  }
  return 2;
}
