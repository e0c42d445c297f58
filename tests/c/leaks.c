/*
 * Credentials that come and go, by a program that uses azcred.h as a stranger would; it prints as JSON what the process
 * held before and after. It runs where IDENTITY_ENDPOINT and IDENTITY_HEADER name an emulator.
 * usage: leaks COUNT CLIENT_ID...
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

static const char *const SCOPE = "https://leaks.example/.default";

/* The client ids of the identities that this host has. */
static char **identities;
static long identities_len;

/* What the process holds. */
struct held {
  long rss_kb, threads, descriptors;
};

static long entries(const char *folder) {
  DIR *open = opendir(folder);
  long count = -2; /* less . and .. */
  CHECK(open != NULL);
  while (readdir(open) != NULL) {
    ++count;
  }
  closedir(open);
  return count;
}

static struct held held(void) {
  struct held held = {0, 0, 0};
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "VmRSS:", 6) == 0) {
      held.rss_kb = atol(line + 6);
    }
  }
  fclose(status);
  held.threads = entries("/proc/self/task");
  held.descriptors = entries("/proc/self/fd");
  return held;
}

static azcred_credential *made(const char *name, const char *option, const char *value) {
  azcred_options *options = azcred_options_new();
  azcred_credential *credential = NULL;
  CHECK(azcred_options_set_text(options, option, value, NULL) == AZCRED_OK);
  CHECK(azcred_credential_new(name, options, &credential, NULL) == AZCRED_OK);
  azcred_options_free(options);
  return credential;
}

static azcred_token_request request_for(const char *const *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  request.scopes = scope;
  request.scopes_len = 1;
  return request;
}

/* One of a few identities, asked for a token that is in the cache. */
static void used(long number) {
  azcred_credential *credential = made("ManagedIdentityCredential", "client_id", identities[number % identities_len]);
  azcred_token_request request = request_for(&SCOPE);
  azcred_token *token = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  azcred_token_free(token);
  azcred_credential_free(credential);
}

/* An identity that nobody else has, which is never asked. */
static void distinct(long number) {
  char client_id[64];
  sprintf(client_id, "client-%ld", number);
  azcred_credential_free(made("ManagedIdentityCredential", "client_id", client_id));
  azcred_credential_free(made("DefaultAzureCredential", "managed_identity_client_id", client_id));
}

/* Calls that are wrong, and one that is given up. */
static void failing(long number) {
  static const char *const malformed = "bad scope", *const nonsense = "nonsense";
  azcred_credential *credential = made("ManagedIdentityCredential", "client_id", identities[0]);
  azcred_token_request request = request_for(&malformed);
  azcred_options *options = azcred_options_new();
  azcred_credential *none = NULL;
  azcred_cancel *cancel = azcred_cancel_new();
  azcred_error *error = NULL;
  azcred_token *token = NULL;
  (void)number;
  CHECK(azcred_options_set_text(options, nonsense, nonsense, NULL) == AZCRED_OK);
  CHECK(azcred_credential_new("AzureCliCredential", options, &none, &error) == AZCRED_INVALID_CONFIGURATION);
  azcred_error_free(error);
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_INVALID_ARGUMENT);
  azcred_error_free(error);
  request = request_for(&SCOPE);
  request.cancel = cancel;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  azcred_token_free(token);
  azcred_cancel_trigger(cancel);
  azcred_cancel_free(cancel);
  azcred_options_free(options);
  azcred_credential_free(credential);
}

/* Does it often, after a tenth of that to warm up, and tells what that left behind. */
static void watch(const char *name, void (*once)(long), long count, const char *end) {
  long number = 0, warm = count / 10;
  struct held before, after;
  time_t began;
  for (; number < warm; ++number) {
    once(number);
  }
  before = held();
  began = time(NULL);
  for (; number < warm + count; ++number) {
    once(number);
  }
  after = held();
  printf(
      "\"%s\": {\"count\": %ld, \"seconds\": %ld, \"rss_kb\": [%ld, %ld], \"threads\": [%ld, %ld], "
      "\"descriptors\": [%ld, %ld]}%s",
      name, count, (long)(time(NULL) - began), before.rss_kb, after.rss_kb, before.threads, after.threads,
      before.descriptors, after.descriptors, end);
}

int main(int argc, char **argv) {
  long count;
  CHECK(argc > 2);
  count = atol(argv[1]);
  identities = argv + 2;
  identities_len = argc - 2;
  printf("{");
  watch("used", used, count, ", ");
  watch("distinct", distinct, count / 10, ", ");
  watch("failing", failing, count / 10, "}\n");
  return 0;
}
