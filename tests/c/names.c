/*
 * A library to be loaded before others. The names that have a file in the folder NAMES are this machine's, but for
 * those whose file says "unknown" or "silent": nobody knows them, or nobody answers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* What the file of a name says; whether there is one. */
static int look_up(const char *name, char *word, int len) {
  const char *folder = getenv("NAMES");
  char path[4096];
  FILE *file;
  if (folder == NULL || name == NULL || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
    return 0;
  }
  file = fopen(path, "r");
  if (file == NULL) {
    return 0;
  }
  word[0] = '\0';
  if (fgets(word, len, file) == NULL) {
    word[0] = '\0';
  }
  fclose(file);
  return 1;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  union {
    void *symbol;
    resolver call;
  } usual;
  char word[16];
  usual.symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  if (!look_up(node, word, (int)sizeof word)) {
    return usual.call(node, service, hints, found);
  }
  if (strcmp(word, "unknown") == 0) {
    return EAI_NONAME;
  }
  if (strcmp(word, "silent") == 0) {
    return EAI_AGAIN;
  }
  return usual.call("127.0.0.1", service, hints, found);
}
