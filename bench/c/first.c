/* The first token of a process: first CREDENTIAL. Options come from the environment. */
#include <azcred.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const SCOPE = "https://storage.azure.com/.default";

int main(int argc, char **argv) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  azcred_options *options = azcred_options_new();
  azcred_credential *credential = NULL;
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  request.scopes = &SCOPE;
  request.scopes_len = 1;
  if (argc != 2) {
    return 2;
  }
  if (strcmp(argv[1], "ClientSecretCredential") == 0) {
    azcred_options_set_text(options, "tenant_id", getenv("AZURE_TENANT_ID"), NULL);
    azcred_options_set_text(options, "client_id", getenv("AZURE_CLIENT_ID"), NULL);
    azcred_options_set_text(options, "client_secret", getenv("AZURE_CLIENT_SECRET"), NULL);
  }
  if (azcred_credential_new(argv[1], options, &credential, &error) != AZCRED_OK ||
      azcred_credential_get_token(credential, &request, &token, &error) != AZCRED_OK) {
    fprintf(stderr, "%s\n", azcred_error_message(error));
    return 1;
  }
  azcred_token_free(token);
  azcred_credential_free(credential);
  azcred_options_free(options);
  return 0;
}
