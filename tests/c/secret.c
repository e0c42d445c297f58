/*
 * Gets a token with a secret that is nowhere else in this process, lets go of everything, and waits for whoever looks.
 * usage: secret SCOPE TENANT_ID CLIENT_ID SECRET, the last in hexadecimal, each byte under 0x5a
 */
#include <azcred.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wipe(char *text, size_t length) {
  volatile char *at = text;
  while (length-- > 0) {
    *at++ = 0;
  }
}

int main(int argc, char **argv) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  azcred_options *options = azcred_options_new();
  azcred_credential *credential = NULL;
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  char secret[256] = "";
  size_t length;
  size_t at;
  const char *scopes[1];

  if (argc != 5 || options == NULL) {
    return 2;
  }
  length = strlen(argv[4]) / 2;
  for (at = 0; at < length && at < sizeof secret - 1; ++at) {
    char digits[3] = {argv[4][2 * at], argv[4][2 * at + 1], '\0'};
    secret[at] = (char)(strtoul(digits, NULL, 16) ^ 0x5a);
  }
  scopes[0] = argv[1];
  request.scopes = scopes;
  request.scopes_len = 1;
  if (azcred_options_set_text(options, "tenant_id", argv[2], &error) != AZCRED_OK ||
      azcred_options_set_text(options, "client_id", argv[3], &error) != AZCRED_OK ||
      azcred_options_set_text(options, "client_secret", secret, &error) != AZCRED_OK) {
    return 3;
  }
  wipe(secret, sizeof secret);
  if (azcred_credential_new("ClientSecretCredential", options, &credential, &error) != AZCRED_OK ||
      azcred_credential_get_token(credential, &request, &token, &error) != AZCRED_OK) {
    fprintf(stderr, "%s\n", azcred_error_message(error));
    return 4;
  }
  printf("%s\n", azcred_token_cache_level(token));
  azcred_token_free(token);
  azcred_credential_free(credential);
  azcred_options_free(options);
  printf("ready\n");
  fflush(stdout);
  return getchar() == EOF ? 0 : 1;
}
