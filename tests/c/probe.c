/*
 * Asks one question through the C door, and prints the answer as JSON.
 * usage: probe CREDENTIAL [text:NAME=VALUE | int:NAME=VALUE | scope:SCOPE | tenant:TENANT | claims:CLAIMS]...
 */
#include <azcred.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[10] = {
    "OK",        "UNAVAILABLE", "FAILED", "TRANSIENT", "INVALID_CONFIGURATION", "INVALID_ARGUMENT",
    "CANCELLED", "TIMED_OUT",   "?",      "INTERNAL"};

static int tell(azcred_status status, azcred_error *error, const char *source) {
  const char *message = error == NULL ? "" : azcred_error_message(error);
  printf("{\"kind\":\"%s\",\"source\":\"%s\",\"message\":\"", NAMES[status / 10], source);
  for (; *message != '\0'; ++message) {
    switch (*message) {
      case '"':
      case '\\':
        printf("\\%c", *message);
        break;
      case '\n':
        printf("\\n");
        break;
      case '\t':
        printf("\\t");
        break;
      default:
        putchar(*message);
    }
  }
  printf("\"}\n");
  azcred_error_free(error);
  return 0;
}

int main(int argc, char **argv) {
  const char *scopes[8];
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  azcred_options *options = azcred_options_new();
  azcred_credential *credential = NULL;
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  azcred_status status = AZCRED_OK;
  int at;

  request.scopes = scopes;
  for (at = 2; at < argc && status == AZCRED_OK; ++at) {
    char *kind = argv[at];
    char *name = strchr(kind, ':');
    char *value;
    if (name == NULL) {
      return 2;
    }
    *name++ = '\0';
    value = strchr(name, '=');
    if (strcmp(kind, "scope") == 0) {
      scopes[request.scopes_len++] = name;
    } else if (strcmp(kind, "tenant") == 0) {
      request.tenant_id = name;
    } else if (strcmp(kind, "claims") == 0) {
      request.claims = name;
    } else if (value == NULL) {
      return 2;
    } else if (strcmp(kind, "int") == 0) {
      *value++ = '\0';
      status = azcred_options_set_int(options, name, strtol(value, NULL, 10), &error);
    } else {
      *value++ = '\0';
      status = azcred_options_set_text(options, name, value, &error);
    }
  }
  if (status == AZCRED_OK) {
    status = azcred_credential_new(argv[1], options, &credential, &error);
  }
  if (status == AZCRED_OK) {
    status = azcred_credential_get_token(credential, &request, &token, &error);
  }
  tell(status, error, token == NULL ? "" : azcred_token_source(token));
  azcred_token_free(token);
  azcred_credential_free(credential);
  azcred_options_free(options);
  return 0;
}
