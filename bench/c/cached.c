/* Cached calls at azcred's C door: cached get_token|provider time|NUMBER. */
#include <azcred.h>
#include <stdio.h>
#include <string.h>

#include "loop.h"

static const char *const SCOPE = "https://storage.azure.com/.default";

struct what {
  azcred_credential *credential;
  azcred_bearer_token_provider *provider;
};

static int get_token(void *given, long number) {
  const struct what *what = given;
  for (; number > 0; --number) {
    azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
    azcred_token *token = NULL;
    request.scopes = &SCOPE;
    request.scopes_len = 1;
    if (azcred_credential_get_token(what->credential, &request, &token, NULL) != AZCRED_OK ||
        azcred_token_secret_len(token) == 0) {
      return 1;
    }
    azcred_token_free(token);
  }
  return 0;
}

static int provide(void *given, long number) {
  const struct what *what = given;
  for (; number > 0; --number) {
    azcred_token *token = NULL;
    if (azcred_bearer_token_provider_get(what->provider, &token, NULL) != AZCRED_OK ||
        azcred_token_secret_len(token) == 0) {
      return 1;
    }
    azcred_token_free(token);
  }
  return 0;
}

int main(int argc, char **argv) {
  struct what what = {NULL, NULL};
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  azcred_error *error = NULL;
  azcred_token *first = NULL;
  int status;
  request.scopes = &SCOPE;
  request.scopes_len = 1;
  if (argc != 3) {
    return 2;
  }
  if (azcred_credential_new("ManagedIdentityCredential", NULL, &what.credential, &error) != AZCRED_OK ||
      azcred_bearer_token_provider_new(what.credential, &request, &what.provider, &error) != AZCRED_OK ||
      azcred_credential_get_token(what.credential, &request, &first, &error) != AZCRED_OK) {
    fprintf(stderr, "%s\n", azcred_error_message(error));
    return 1;
  }
  azcred_token_free(first);
  status = loop_main(argv[2], strcmp(argv[1], "provider") == 0 ? provide : get_token, &what);
  azcred_bearer_token_provider_free(what.provider);
  azcred_credential_free(what.credential);
  return status;
}
