/*
 * Functions as options and users who sign in, by a program that uses azcred.h as a stranger would.
 * It runs where AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE, AZURE_AUTHORITY_HOST and SSL_CERT_FILE
 * name an emulator; APPROVE is a command that approves the device code behind it. usage: sign_ins SCENARIO
 */
#define _POSIX_C_SOURCE 200809L
#include <azcred.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MANY 20

static const char *const SCOPE = "https://storage.azure.com/.default";

struct state {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int calls, freed, go;
  const char *fails;
};

static void init(struct state *state) {
  memset(state, 0, sizeof *state);
  pthread_mutex_init(&state->mutex, NULL);
  pthread_cond_init(&state->changed, NULL);
  state->go = 1;
}

static void freed(void *user_data) {
  struct state *state = user_data;
  pthread_mutex_lock(&state->mutex);
  state->freed += 1;
  pthread_cond_broadcast(&state->changed);
  pthread_mutex_unlock(&state->mutex);
}

/* The last hold may be that of a call that ends on a thread of azcred's. */
static void wait_until_freed(struct state *state) {
  pthread_mutex_lock(&state->mutex);
  while (state->freed == 0) {
    pthread_cond_wait(&state->changed, &state->mutex);
  }
  CHECK(state->freed == 1);
  pthread_mutex_unlock(&state->mutex);
}

static void assertion(void *user_data, const azcred_call *call, azcred_reply *reply) {
  struct state *state = user_data;
  static char text[16384];
  FILE *file;
  pthread_mutex_lock(&state->mutex);
  state->calls += 1;
  while (!state->go) {
    pthread_cond_wait(&state->changed, &state->mutex);
  }
  CHECK(azcred_call_text(call, "user_code") == NULL && azcred_call_text(call, NULL) == NULL);
  if (state->fails != NULL) {
    azcred_reply_set_text(reply, "not this one");
    azcred_reply_set_error(reply, state->fails);
  } else {
    file = fopen(getenv("AZURE_FEDERATED_TOKEN_FILE"), "r");
    CHECK(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    azcred_reply_set_error(reply, "not this one");
    azcred_reply_set_text(reply, text);
  }
  pthread_mutex_unlock(&state->mutex);
}

static void silent(void *user_data, const azcred_call *call, azcred_reply *reply) {
  (void)user_data, (void)call, (void)reply;
}

static void bad_text(void *user_data, const azcred_call *call, azcred_reply *reply) {
  (void)user_data, (void)call;
  azcred_reply_set_text(reply, "\xff");
}

static azcred_token_request request_for(const char *const *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  request.scopes = scope;
  request.scopes_len = 1;
  request.timeout_ms = 20000;
  return request;
}

static azcred_options *own_options(void) {
  azcred_options *options = azcred_options_new();
  CHECK(azcred_options_set_text(options, "tenant_id", getenv("AZURE_TENANT_ID"), NULL) == AZCRED_OK);
  CHECK(azcred_options_set_text(options, "client_id", getenv("AZURE_CLIENT_ID"), NULL) == AZCRED_OK);
  return options;
}

static azcred_credential *made(const char *name, azcred_options *options) {
  azcred_credential *credential = NULL;
  azcred_error *error = NULL;
  azcred_status status = azcred_credential_new(name, options, &credential, &error);
  if (status != AZCRED_OK) {
    fprintf(stderr, "%s\n", azcred_error_message(error));
  }
  CHECK(status == AZCRED_OK);
  azcred_options_free(options);
  return credential;
}

static azcred_credential *by_assertion(azcred_function function, struct state *state) {
  azcred_options *options = own_options();
  CHECK(azcred_options_set_function(options, "func", function, state, freed, NULL) == AZCRED_OK);
  return made("ClientAssertionCredential", options);
}

static void *ask(void *credential) {
  azcred_token_request request = request_for(&SCOPE);
  azcred_token *token = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &token, NULL) == AZCRED_OK);
  return token;
}

/* Twenty threads, one call; a function that waits keeps nobody else waiting; user_data is freed once. */
static void functions(void) {
  struct state state;
  azcred_credential *credential, *other = made("WorkloadIdentityCredential", NULL);
  pthread_t threads[MANY];
  void *tokens[MANY];
  int at;
  init(&state);
  state.go = 0;
  credential = by_assertion(assertion, &state);
  for (at = 0; at < MANY; ++at) {
    CHECK(pthread_create(&threads[at], NULL, ask, credential) == 0);
  }
  azcred_token_free(ask(other));
  azcred_credential_free(other);
  pthread_mutex_lock(&state.mutex);
  state.go = 1;
  pthread_cond_broadcast(&state.changed);
  pthread_mutex_unlock(&state.mutex);
  for (at = 0; at < MANY; ++at) {
    CHECK(pthread_join(threads[at], &tokens[at]) == 0);
    CHECK(strcmp(azcred_token_secret(tokens[at]), azcred_token_secret(tokens[0])) == 0);
  }
  for (at = 0; at < MANY; ++at) {
    azcred_token_free(tokens[at]);
  }
  CHECK(state.calls == 1 && state.freed == 0);
  azcred_credential_free(credential);
  wait_until_freed(&state);
}

static void expect(azcred_function function, struct state *state, const char *words) {
  azcred_credential *credential = by_assertion(function, state);
  azcred_token_request request = request_for(&SCOPE);
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_FAILED);
  CHECK(token == NULL && strstr(azcred_error_message(error), words) != NULL);
  CHECK(azcred_error_claims(error) == NULL);
  azcred_error_free(error);
  azcred_credential_free(credential);
  wait_until_freed(state);
}

static void failures(void) {
  struct state state;
  azcred_options *options = azcred_options_new();
  azcred_error *error = NULL;
  init(&state);
  state.fails = "the key is\nlost";
  expect(assertion, &state, "the key is\\nlost");
  init(&state);
  expect(silent, &state, "gave no text");
  init(&state);
  expect(bad_text, &state, "expected UTF-8");

  /* What was not set is not freed; what is set again, or never used, is. */
  init(&state);
  CHECK(azcred_options_set_function(options, "func", NULL, &state, freed, &error) == AZCRED_INVALID_ARGUMENT);
  azcred_error_free(error);
  CHECK(azcred_options_set_function(NULL, "func", silent, &state, freed, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(state.freed == 0);
  CHECK(azcred_options_set_function(options, "func", silent, &state, freed, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_function(options, "func", silent, NULL, NULL, NULL) == AZCRED_OK);
  CHECK(state.freed == 1);
  CHECK(azcred_options_set_function(options, "func", silent, &state, freed, NULL) == AZCRED_OK);
  azcred_options_free(options);
  CHECK(state.freed == 2);

  options = azcred_options_new();
  CHECK(azcred_options_set_bytes(options, "client_secret", (const uint8_t *)"\xff", 1, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_bytes(options, "client_secret", NULL, 0, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_bytes(options, "client_secret", NULL, 1, NULL) == AZCRED_INVALID_ARGUMENT);
  CHECK(azcred_options_set_bytes(options, "client_secret", NULL, (size_t)-1, NULL) == AZCRED_INVALID_ARGUMENT);
  azcred_options_free(options);
  azcred_reply_set_text(NULL, "x");
  azcred_reply_set_error(NULL, "x");
  CHECK(azcred_call_text(NULL, "x") == NULL);
  CHECK(azcred_record_json(NULL) == NULL);
  azcred_record_free(NULL);
}

static void prompt(void *user_data, const azcred_call *call, azcred_reply *reply) {
  char command[1024];
  (void)user_data, (void)reply;
  CHECK(strstr(azcred_call_text(call, "message"), azcred_call_text(call, "user_code")) != NULL);
  CHECK(strtol(azcred_call_text(call, "expires_on"), NULL, 10) > 0);
  snprintf(command, sizeof command, "%s %s", getenv("APPROVE"), azcred_call_text(call, "user_code"));
  CHECK(system(command) == 0);
}

struct outcome {
  struct state state;
  azcred_record *record;
  azcred_error *error;
};

static void signed_in(void *user_data, azcred_record *record, azcred_error *error) {
  struct outcome *outcome = user_data;
  CHECK((record == NULL) != (error == NULL));
  outcome->record = record;
  outcome->error = error;
}

static azcred_credential *by_device(const char *record) {
  azcred_options *options = own_options();
  CHECK(azcred_options_set_function(options, "prompt_callback", prompt, NULL, NULL, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_bool(options, "disable_automatic_authentication", true, NULL) == AZCRED_OK);
  CHECK(azcred_options_set_text(options, "authentication_record", record, NULL) == AZCRED_OK);
  return made("DeviceCodeCredential", options);
}

static void users(void) {
  azcred_credential *credential = by_device(NULL);
  azcred_token_request request = request_for(&SCOPE), none = AZCRED_TOKEN_REQUEST_INIT;
  azcred_record *record = NULL;
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  struct outcome outcome;

  request.claims = "{\"a\":1}";
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_UNAVAILABLE);
  CHECK(strcmp(azcred_error_code(error), "authentication_required") == 0);
  CHECK(strcmp(azcred_error_claims(error), request.claims) == 0);
  azcred_error_free(error);
  CHECK(azcred_credential_authenticate(credential, &none, &record, &error) == AZCRED_OK);
  CHECK(strstr(azcred_record_json(record), "\"username\":\"alex@") != NULL);
  request.claims = NULL;
  CHECK(azcred_credential_get_token(credential, &request, &token, &error) == AZCRED_OK);
  azcred_token_free(token);
  azcred_credential_free(credential);

  /* The record pins the account; here the same one signs in again. */
  credential = by_device(azcred_record_json(record));
  memset(&outcome, 0, sizeof outcome);
  init(&outcome.state);
  CHECK(azcred_credential_authenticate_async(credential, &request, signed_in, &outcome, freed, &error) == AZCRED_OK);
  wait_until_freed(&outcome.state);
  CHECK(outcome.error == NULL);
  CHECK(strcmp(azcred_record_json(outcome.record), azcred_record_json(record)) == 0);
  azcred_record_free(outcome.record);
  CHECK(azcred_credential_authenticate_async(credential, &request, NULL, NULL, NULL, NULL) == AZCRED_INVALID_ARGUMENT);
  azcred_credential_free(credential);
  azcred_record_free(record);

  credential = made("WorkloadIdentityCredential", NULL);
  CHECK(azcred_credential_authenticate(credential, &none, &record, &error) == AZCRED_INVALID_ARGUMENT);
  CHECK(record == NULL && strstr(azcred_error_message(error), "no user who could sign in") != NULL);
  azcred_error_free(error);
  azcred_credential_free(credential);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  if (strcmp(argv[1], "functions") == 0) {
    functions();
  } else if (strcmp(argv[1], "failures") == 0) {
    failures();
  } else {
    CHECK(strcmp(argv[1], "users") == 0);
    users();
  }
  return 0;
}
