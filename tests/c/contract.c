/*
 * The promises of azcred.h, checked by a program that uses it as a stranger would.
 * It runs where IDENTITY_ENDPOINT and IDENTITY_HEADER name an emulator; its scopes are its own.
 * usage: contract [SCENARIO]
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "tally.h"

static azcred_credential *managed_identity(void) {
  azcred_credential *credential = NULL;
  azcred_error *error = NULL;
  CHECK(azcred_credential_new("ManagedIdentityCredential", NULL, &credential, &error) == AZCRED_OK);
  CHECK(credential != NULL && error == NULL);
  CHECK(strcmp(azcred_credential_name(credential), "ManagedIdentityCredential") == 0);
  return credential;
}

static azcred_token_request request_for(const char *const *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  request.scopes = scope;
  request.scopes_len = 1;
  request.timeout_ms = 20000;
  return request;
}

static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[4096];
static int lines_freed;

static void keep_line(void *user_data, const azcred_log_line *line) {
  char one[1024];
  CHECK(strcmp(user_data, "lines") == 0);
  CHECK(azcred_log_line_time_ms(line) / 1000 >= (int64_t)time(NULL) - 60);
  snprintf(one, sizeof one, "%d %s %s\n", (int)azcred_log_line_level(line), azcred_log_line_target(line),
           azcred_log_line_text(line));
  CHECK(pthread_mutex_lock(&lines_lock) == 0);
  strncat(lines, one, sizeof lines - strlen(lines) - 1);
  CHECK(pthread_mutex_unlock(&lines_lock) == 0);
}

static void free_lines(void *user_data) {
  CHECK(strcmp(user_data, "lines") == 0);
  lines_freed++;
}

static int said(const char *text) {
  int found;
  CHECK(pthread_mutex_lock(&lines_lock) == 0);
  found = strstr(lines, text) != NULL;
  CHECK(pthread_mutex_unlock(&lines_lock) == 0);
  return found;
}

static void log_lines(void) {
  static const char *const scope = "https://c-log.example/.default";
  static char user_data[] = "lines";
  azcred_token_request request = request_for(&scope);
  azcred_credential *credential = NULL;
  azcred_options *options = azcred_options_new();
  azcred_error *error = NULL;
  azcred_token *token = NULL;
  CHECK(azcred_log_set(6, keep_line, user_data, free_lines, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(strcmp(azcred_error_message(error), "level: expected 0 to 5, got 6") == 0 && lines_freed == 0);
  azcred_error_free(error);
  CHECK(azcred_log_set(AZCRED_LOG_DEBUG, keep_line, user_data, free_lines, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_bool(options, "logging_enable", true, NULL) == AZCRED_OK);
  CHECK(azcred_credential_new("DefaultAzureCredential", options, &credential, NULL) == AZCRED_OK);
  CHECK(said("3 azcred::options accepted and not used: logs never hold a secret"));
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  CHECK(said("4 azcred::source::chain EnvironmentCredential: "));
  CHECK(!said(azcred_token_secret(token)) && !said(getenv("IDENTITY_HEADER")));
  azcred_token_free(token);
  /* Another one takes over, and then nobody. */
  lines[0] = 0;
  CHECK(azcred_log_set(AZCRED_LOG_WARN, keep_line, user_data, free_lines, NULL) == AZCRED_OK && lines_freed == 1);
  azcred_credential_free(credential);
  CHECK(azcred_credential_new("DefaultAzureCredential", options, &credential, NULL) == AZCRED_OK && !lines[0]);
  CHECK(azcred_log_set(AZCRED_LOG_DEBUG, NULL, user_data, free_lines, NULL) == AZCRED_OK && lines_freed == 3);
  CHECK(azcred_log_line_level(NULL) == AZCRED_LOG_OFF && azcred_log_line_text(NULL) == NULL);
  CHECK(azcred_log_line_target(NULL) == NULL && azcred_log_line_time_ms(NULL) == 0);
  azcred_credential_free(credential);
  azcred_options_free(options);
}

static void twice(void) {
  static const char *const scope = "https://c-twice.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  azcred_token *first = NULL, *second = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &first, NULL) == AZCRED_OK);
  CHECK(azcred_credential_get_token(credential, &request, &second, NULL) == AZCRED_OK);
  CHECK(strcmp(azcred_token_cache_level(first), "source") == 0);
  CHECK(strcmp(azcred_token_cache_level(second), "process") == 0);
  CHECK(azcred_token_secret(first) == azcred_token_secret(second));
  CHECK(strlen(azcred_token_secret(first)) == azcred_token_secret_len(first));
  CHECK(strncmp(azcred_token_authorization(first), "Bearer ", 7) == 0);
  CHECK(azcred_token_authorization(first) + 7 == azcred_token_secret(first));
  CHECK(strcmp(azcred_token_type(first), "Bearer") == 0);
  CHECK(azcred_token_expires_on(first) > (int64_t)time(NULL));
  CHECK(azcred_token_refresh_on(first) < azcred_token_expires_on(first));
  CHECK(strcmp(azcred_token_credential(first), "ManagedIdentityCredential") == 0);
  CHECK(strcmp(azcred_token_source(first), "app_service") == 0);
  CHECK(azcred_token_tenant_id(first) == NULL);
  CHECK(azcred_token_client_id(first) != NULL);
  azcred_token_free(first);
  azcred_credential_free(credential);
  CHECK(azcred_token_secret_len(second) > 0); /* a token outlives its credential */
  azcred_token_free(second);
}

static void provider(void) {
  static const char *const scope = "https://c-provider.example/.default";
  static const char *const malformed = "a b";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope), wrong = request_for(&malformed);
  azcred_bearer_token_provider *provider = NULL, *none = NULL;
  azcred_token *first = NULL, *second = NULL;
  azcred_error *error = NULL;
  CHECK(azcred_bearer_token_provider_new(credential, &request, &provider, &error) == AZCRED_OK);
  CHECK(provider != NULL && error == NULL);
  CHECK(azcred_bearer_token_provider_new(credential, &wrong, &none, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(none == NULL && strncmp(azcred_error_message(error), "malformed scope 'a b'", 21) == 0);
  azcred_error_free(error);
  CHECK(azcred_bearer_token_provider_new(NULL, &request, &none, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_bearer_token_provider_new(credential, NULL, &none, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_bearer_token_provider_get(NULL, &first, NULL) == AZCRED_INVALID_ARGUMENT);
  azcred_credential_free(credential); /* it outlives what it was made of */
  CHECK(azcred_bearer_token_provider_get(provider, &first, NULL) == AZCRED_OK);
  CHECK(azcred_bearer_token_provider_get(provider, &second, NULL) == AZCRED_OK);
  CHECK(azcred_token_secret(first) == azcred_token_secret(second));
  azcred_bearer_token_provider_free(provider);
  azcred_bearer_token_provider_free(NULL);
  azcred_token_free(first);
  azcred_token_free(second);
}

/* A resource refuses a token: the next call has another one, the old text stays readable. */
static void refusal(void) {
  static const char *const scope = "https://c-refusal.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  azcred_token *first = NULL, *second = NULL, *third = NULL;
  azcred_statistics *statistics = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &first, NULL) == AZCRED_OK);
  CHECK(!azcred_credential_reject(NULL, first) && !azcred_credential_reject(credential, NULL));
  CHECK(azcred_credential_reject(credential, first));
  CHECK(!azcred_credential_reject(credential, first)); /* once */
  CHECK(azcred_credential_get_token(credential, &request, &second, NULL) == AZCRED_OK);
  CHECK(strcmp(azcred_token_secret(first), azcred_token_secret(second)) != 0);
  CHECK(azcred_credential_get_token(credential, &request, &third, NULL) == AZCRED_OK);
  CHECK(azcred_token_secret(second) == azcred_token_secret(third));
  CHECK(azcred_credential_statistics(credential, &statistics, NULL) == AZCRED_OK);
  CHECK(azcred_statistics_hits(statistics) == 1 && azcred_statistics_misses(statistics) == 2);
  CHECK(azcred_statistics_waiters(statistics) == 0 && azcred_statistics_flights(statistics) == 2);
  CHECK(azcred_statistics_upstream_requests(statistics) == 2 && azcred_statistics_failures(statistics) == 0);
  azcred_statistics_free(statistics);
  azcred_statistics_free(NULL);
  CHECK(azcred_credential_statistics(NULL, &statistics, NULL) == AZCRED_INVALID_ARGUMENT && statistics == NULL);
  CHECK(azcred_credential_statistics(credential, NULL, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_statistics_hits(NULL) == 0);
  azcred_token_free(first);
  azcred_token_free(second);
  azcred_token_free(third);
  azcred_credential_free(credential);
}

/* Expects an emulator that hangs. */
static void cancelling(void) {
  static const char *const scope = "https://c-cancel.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_cancel *cancel = azcred_cancel_new();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  struct tally tally;
  tally_init(&tally);
  request.cancel = cancel;
  CHECK(azcred_credential_get_token_async(credential, &request, count, &tally, count_free, NULL) == AZCRED_OK);
  azcred_cancel_trigger(cancel);
  tally_wait(&tally, 1);
  CHECK(tally.errors == 1 && tally.last == AZCRED_CANCELLED);
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_CANCELLED);
  CHECK(token == NULL && azcred_error_status(error) == AZCRED_CANCELLED);
  azcred_error_free(error);
  azcred_cancel_free(cancel);
  request.cancel = NULL;
  request.timeout_ms = 50;
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_TIMED_OUT);
  azcred_error_free(error);
  azcred_credential_free(credential);
}

static void bad_calls(void) {
  static const char *const scope = "https://c-bad.example/.default";
  static const char *const bad_text = "caf\xe9";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = (azcred_token *)1;
  azcred_error *error = NULL;
  azcred_credential *made = (azcred_credential *)1;
  azcred_options *options = azcred_options_new();
  const azcred_credential *members[2];

  CHECK(azcred_credential_get_token(NULL, &request, &token, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(token == NULL);
  CHECK(strcmp(azcred_error_message(error), "credential: expected a pointer, got NULL") == 0);
  azcred_error_free(error);
  CHECK(azcred_credential_get_token(credential, NULL, &token, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_credential_get_token(credential, &request, NULL, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_credential_get_token_async(credential, &request, NULL, NULL, NULL, NULL) == AZCRED_INVALID_ARGUMENT);
  request.struct_size = 0;
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(strstr(azcred_error_message(error), "struct_size") != NULL);
  azcred_error_free(error);
  {
    struct {
      azcred_token_request known;
      size_t unknown;
    } newer;
    newer.known = request_for(&scope);
    newer.known.struct_size = sizeof newer;
    newer.unknown = 1;
    CHECK(azcred_credential_get_token(credential, &newer.known, &token, &error) == AZCRED_INVALID_ARGUMENT);
    CHECK(strstr(azcred_error_message(error), "newer azcred.h") != NULL);
    azcred_error_free(error);
  }
  request = request_for(&bad_text);
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(strcmp(azcred_error_message(error), "request.scopes: expected UTF-8 text") == 0);
  azcred_error_free(error);
  request = request_for(&scope);
  request.scopes = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_INVALID_ARGUMENT);
  request = request_for(&scope);
  request.scopes_len = (size_t)-1;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_INVALID_ARGUMENT);

  CHECK(azcred_credential_new(NULL, NULL, &made, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(made == NULL);
  azcred_error_free(error);
  CHECK(azcred_credential_new("x", NULL, NULL, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_options_set_text(NULL, "x", "y", NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_options_set_text(options, NULL, "y", NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_options_set_text(options, "additionally_allowed_tenants", "y", NULL) == AZCRED_OK);
  CHECK(azcred_options_add_text(options, "additionally_allowed_tenants", "y", NULL) == AZCRED_INVALID_ARGUMENT);
  members[0] = credential;
  members[1] = NULL;
  CHECK(azcred_credential_new_chain(members, 2, &made, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_credential_new_chain(NULL, 0, &made, NULL) == AZCRED_INVALID_CONFIGURATION);
  CHECK(azcred_credential_new_chain(members, 1, &made, NULL) == AZCRED_OK);
  azcred_credential_free(made);

  CHECK(azcred_error_status(NULL) == AZCRED_OK && azcred_error_message(NULL) == NULL);
  CHECK(azcred_error_attempts_len(NULL) == 0 && azcred_error_attempt_message(NULL, 0) == NULL);
  CHECK(azcred_error_retry_after_ms(NULL) == -1 && azcred_error_http_status(NULL) == 0);
  CHECK(azcred_token_secret(NULL) == NULL && azcred_token_secret_len(NULL) == 0 && azcred_token_source(NULL) == NULL);
  CHECK(azcred_credential_name(NULL) == NULL);
  azcred_error_free(NULL);
  azcred_token_free(NULL);
  azcred_cancel_trigger(NULL);
  azcred_cancel_free(NULL);
  azcred_options_free(NULL);
  azcred_credential_free(NULL);
  azcred_options_free(options);
  azcred_credential_free(credential);
}

/* An older caller's struct is shorter: what it does not know is "no wish". */
static void older_struct(void) {
  static const char *const scope = "https://c-older.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_token *token = NULL;
  struct {
    size_t struct_size;
    const char *const *scopes;
    size_t scopes_len;
  } older;
  older.struct_size = sizeof older;
  older.scopes = &scope;
  older.scopes_len = 1;
  CHECK(azcred_credential_get_token(credential, (const azcred_token_request *)(const void *)&older, &token, NULL) ==
        AZCRED_OK);
  azcred_token_free(token);
  azcred_credential_free(credential);
}

static void forks(void) {
  static const char *const scope = "https://c-fork.example/.default";
  static const char *const other = "https://c-fork-child.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = NULL;
  int status = 1;
  pid_t child;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  azcred_token_free(token);
  child = fork();
  if (child == 0) {
    CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
    CHECK(strcmp(azcred_token_cache_level(token), "process") == 0);
    azcred_token_free(token);
    request = request_for(&other);
    CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
    CHECK(strcmp(azcred_token_cache_level(token), "source") == 0);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  azcred_credential_free(credential);
}

static void must_not_be_called(void *user_data, azcred_token *token, azcred_error *error) {
  (void)user_data;
  (void)token;
  (void)error;
  CHECK(!"called");
}

static void must_not_be_freed(void *user_data) {
  (void)user_data;
  CHECK(!"freed");
}

/* Without descriptors azcred's thread can't start: the call says so, and neither callback is called. */
static void no_descriptors(void) {
  static const char *const scope = "https://c-descriptors.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  struct rlimit before, none;
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  none.rlim_cur = 3;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(azcred_credential_get_token_async(credential, &request, must_not_be_called, NULL, must_not_be_freed, &error) ==
        AZCRED_TRANSIENT);
  azcred_error_free(error);
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_TRANSIENT);
  azcred_error_free(error);
  /* No failure outlives its cause. */
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  azcred_token_free(token);
  azcred_credential_free(credential);
}

/* Without room for a stack azcred's thread can't start either: a limit that counts for root as well. */
static void no_threads(void) {
  static const char *const scope = "https://c-no-threads.example/.default";
  const rlim_t room = 1024 * 1024; /* for what else is needed, and half of a stack */
  azcred_credential *credential = managed_identity();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  struct rlimit before, little;
  long pages = 0;
  FILE *size = fopen("/proc/self/statm", "r");
  CHECK(size != NULL && fscanf(size, "%ld", &pages) == 1);
  fclose(size);
  CHECK(getrlimit(RLIMIT_AS, &before) == 0);
  little = before;
  little.rlim_cur = (rlim_t)(pages * sysconf(_SC_PAGESIZE)) + room;
  CHECK(setrlimit(RLIMIT_AS, &little) == 0);
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_TRANSIENT);
  CHECK(strstr(azcred_error_message(error), "azcred's thread could not be started") != NULL);
  azcred_error_free(error);
  CHECK(setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  azcred_token_free(token);
  azcred_credential_free(credential);
}

/* A child may trigger its parent's cancellation; its parent's callers hear of it from the parent only. */
static void fork_and_cancel(void) {
  static const char *const scope = "https://c-fork-cancel.example/.default";
  azcred_credential *credential = managed_identity();
  azcred_cancel *cancel = azcred_cancel_new();
  azcred_token_request request = request_for(&scope);
  azcred_token *token = NULL;
  struct tally tally;
  int status = 1;
  pid_t child;
  tally_init(&tally);
  request.cancel = cancel;
  CHECK(azcred_credential_get_token_async(credential, &request, count, &tally, count_free, NULL) == AZCRED_OK);
  child = fork();
  if (child == 0) {
    azcred_cancel_trigger(cancel);
    request.cancel = NULL;
    request.timeout_ms = 200; /* long enough for a wrong call to be made on azcred's thread of the child */
    CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_TIMED_OUT);
    _exit(tally.tokens + tally.errors + tally.freed);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  azcred_cancel_trigger(cancel);
  tally_wait(&tally, 1);
  CHECK(tally.errors == 1 && tally.last == AZCRED_CANCELLED);
  azcred_cancel_free(cancel);
  azcred_credential_free(credential);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } scenarios[] = {{"provider", provider},
                   {"twice", twice},
                   {"refusal", refusal},
                   {"log_lines", log_lines},
                   {"cancelling", cancelling},
                   {"bad_calls", bad_calls},
                   {"older_struct", older_struct},
                   {"forks", forks},
                   {"no_descriptors", no_descriptors},
                   {"no_threads", no_threads},
                   {"fork_and_cancel", fork_and_cancel}};
  size_t at;
  CHECK(strcmp(azcred_version(), AZCRED_VERSION) == 0);
  CHECK(argc == 2);
  for (at = 0; at < sizeof scenarios / sizeof scenarios[0]; ++at) {
    if (strcmp(argv[1], scenarios[at].name) == 0) {
      scenarios[at].run();
      return 0;
    }
  }
  return 2;
}
