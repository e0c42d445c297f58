/*
 * Programs that fork: in the middle of flights, with many threads inside azcred, again and again.
 * It runs where IDENTITY_ENDPOINT and IDENTITY_HEADER name an emulator, or AZURE_CLIENT_SECRET and its like an
 * application of it.
 * Prints how many tokens all of its processes had from the source.
 * usage: forks SCENARIO [FORKS]
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <azcred.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                 \
    }                                                                           \
  } while (0)

#define MANY 16
/* How many children live at the same time, while there is load. */
#define AT_ONCE 4
/* How long a process may take, in seconds: one that hangs is ended, and found out by its status. */
#define LONGEST 50

/* What all processes count together. */
struct tally {
  long tokens;
};

static struct tally *tally;
static const char *kind = "ManagedIdentityCredential";

static azcred_credential *credential_new(void) {
  azcred_credential *credential = NULL;
  CHECK(azcred_credential_new(kind, NULL, &credential, NULL) == AZCRED_OK);
  return credential;
}

static azcred_token_request request_for(const char *const *scope) {
  azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT;
  request.scopes = scope;
  request.scopes_len = 1;
  request.timeout_ms = 20000;
  return request;
}

/* The value of a base64url digit. */
static unsigned digit_of(char digit) {
  static const char *const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const char *found = strchr(digits, digit);
  CHECK(digit != '\0' && found != NULL);
  return (unsigned)(found - digits);
}

/* Checks that a token is the answer to this question: its "aud" is the resource. */
static void check_resource(const azcred_token *token, const char *resource) {
  const char *from = strchr(azcred_token_secret(token), '.');
  char payload[4096], wanted[256];
  size_t at, filled = 0;
  unsigned bits = 0, held = 0;
  CHECK(from != NULL);
  for (at = 1; from[at] != '.' && filled < sizeof payload - 1; ++at) {
    bits = (bits << 6 | digit_of(from[at])) & 0xffffU;
    held += 6;
    if (held >= 8) {
      held -= 8;
      payload[filled++] = (char)(bits >> held & 0xffU);
    }
  }
  payload[filled] = '\0';
  snprintf(wanted, sizeof wanted, "\"aud\":\"%s\"", resource);
  if (strstr(payload, wanted) == NULL) {
    fprintf(stderr, "asked for %s, got %s\n", resource, payload);
    _exit(1);
  }
}

/* Gets a token for "https://NAME.example"; the caller owns it. */
static azcred_token *ask(const azcred_credential *credential, const char *name) {
  char resource[128], scope[160];
  const char *const scopes = scope;
  azcred_token_request request = request_for(&scopes);
  azcred_token *token = NULL;
  azcred_error *error = NULL;
  snprintf(resource, sizeof resource, "https://%s.example", name);
  snprintf(scope, sizeof scope, "%s/.default", resource);
  if (azcred_credential_get_token(credential, &request, &token, &error) != AZCRED_OK) {
    fprintf(stderr, "%s: %s\n", name, azcred_error_message(error));
    _exit(1);
  }
  check_resource(token, resource);
  return token;
}

/* The same, by a request of this process. */
static void ask_source(const azcred_credential *credential, const char *name) {
  azcred_token *token = ask(credential, name);
  CHECK(strcmp(azcred_token_cache_level(token), "source") == 0);
  azcred_token_free(token);
  __atomic_add_fetch(&tally->tokens, 1, __ATOMIC_SEQ_CST);
}

/* The same for a name whose token is known, and is held by this process. */
static void ask_held(const azcred_credential *credential, const char *name, const azcred_token *known) {
  azcred_token *token = ask(credential, name);
  CHECK(strcmp(azcred_token_cache_level(token), "process") == 0);
  CHECK(strcmp(azcred_token_secret(token), azcred_token_secret(known)) == 0);
  azcred_token_free(token);
}

static azcred_token *ask_first(const azcred_credential *credential, const char *name) {
  azcred_token *token = ask(credential, name);
  __atomic_add_fetch(&tally->tokens, 1, __ATOMIC_SEQ_CST);
  return token;
}

/* Forks; a child has its time bounded. */
static pid_t fork_child(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(LONGEST);
  }
  return child;
}

static void ends_well(pid_t child) {
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child);
  if (status != 0) {
    fprintf(stderr, "child %ld ended with %d\n", (long)child, status);
    _exit(1);
  }
}

/* Child, grandchild and the child of that hold what was there, get more, and end as programs do. */
static void grandchild(void) {
  azcred_credential *credential = credential_new();
  azcred_token *warm = ask_first(credential, "c-warm");
  const pid_t first = getpid();
  pid_t child;
  int depth;
  for (depth = 1; depth <= 3; ++depth) {
    char name[32];
    child = fork_child();
    if (child != 0) {
      break;
    }
    snprintf(name, sizeof name, "c-depth-%d", depth);
    ask_held(credential, "c-warm", warm);
    ask_source(credential, name);
  }
  if (child != 0) {
    ends_well(child);
  }
  ask_held(credential, "c-warm", warm);
  azcred_token_free(warm);
  azcred_credential_free(credential);
  if (getpid() != first) {
    exit(0);
  }
}

struct waiter {
  const azcred_credential *credential;
  azcred_token *token;
};

static void *wait_for_slow(void *given) {
  struct waiter *waiter = given;
  waiter->token = ask(waiter->credential, "c-slow");
  return NULL;
}

/* Expects a source that answers nobody before all have asked. Threads wait for it; children, and theirs, ask too. */
static void in_flight(void) {
  azcred_credential *credential = credential_new();
  struct waiter waiters[MANY];
  pthread_t threads[MANY];
  int at;
  pid_t children[MANY];
  for (at = 0; at < MANY; ++at) {
    waiters[at].credential = credential;
    waiters[at].token = NULL;
    CHECK(pthread_create(&threads[at], NULL, wait_for_slow, &waiters[at]) == 0);
    /* Forks at every stage: nothing asked yet, threads on their way into azcred, all of them waiting. */
    children[at] = fork_child();
    if (children[at] == 0) {
      pid_t below = fork_child();
      ask_source(credential, "c-slow");
      if (below != 0) {
        ends_well(below);
      }
      exit(0);
    }
  }
  for (at = 0; at < MANY; ++at) {
    ends_well(children[at]);
  }
  for (at = 0; at < MANY; ++at) {
    CHECK(pthread_join(threads[at], NULL) == 0);
    CHECK(strcmp(azcred_token_secret(waiters[at].token), azcred_token_secret(waiters[0].token)) == 0);
    if (at > 0) {
      azcred_token_free(waiters[at].token);
    }
  }
  ++tally->tokens;
  ask_held(credential, "c-slow", waiters[0].token);
  azcred_token_free(waiters[0].token);
  azcred_credential_free(credential);
}

struct load {
  const azcred_credential *shared;
  const azcred_token *warm;
  int number;
  bool *stop;
  pthread_mutex_t mutex;
  pthread_cond_t landed;
  int flying;
};

static void lands(void *user_data, azcred_token *token, azcred_error *error) {
  struct load *load = user_data;
  CHECK(token != NULL && error == NULL);
  azcred_token_free(token);
  pthread_mutex_lock(&load->mutex);
  --load->flying;
  pthread_cond_signal(&load->landed);
  pthread_mutex_unlock(&load->mutex);
}

/* Everything that a program may do, one after the other: flights, held tokens, completions, objects made and freed. */
static void *work(void *given) {
  struct load *load = given;
  int turn;
  for (turn = 0; !__atomic_load_n(load->stop, __ATOMIC_SEQ_CST); ++turn) {
    azcred_credential *own = credential_new();
    azcred_cancel *cancel = azcred_cancel_new();
    char name[64], scope[96];
    const char *const scopes = scope;
    azcred_token_request request = request_for(&scopes);
    azcred_error *error = NULL;
    azcred_token *none = NULL;
    int at;
    snprintf(name, sizeof name, "c-work-%d-%d", load->number, turn);
    ask_source(turn % 2 == 0 ? own : load->shared, name);
    for (at = 0; at < 100; ++at) {
      ask_held(own, "c-warm", load->warm);
    }
    snprintf(scope, sizeof scope, "https://%s-later.example/.default", name);
    load->flying = 1;
    CHECK(azcred_credential_get_token_async(own, &request, lands, load, NULL, NULL) == AZCRED_OK);
    /* A waiter that leaves the flight, unless that has landed. */
    request.cancel = cancel;
    azcred_cancel_trigger(cancel);
    CHECK(azcred_credential_get_token(own, &request, &none, &error) == AZCRED_CANCELLED || none != NULL);
    azcred_error_free(error);
    azcred_token_free(none);
    azcred_cancel_free(cancel);
    azcred_credential_free(own);
    pthread_mutex_lock(&load->mutex);
    while (load->flying > 0) {
      pthread_cond_wait(&load->landed, &load->mutex);
    }
    pthread_mutex_unlock(&load->mutex);
    __atomic_add_fetch(&tally->tokens, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

/* Forks in a row, a multiple of AT_ONCE, while threads are everywhere inside azcred. */
static void under_load(int forks) {
  azcred_credential *credential = credential_new();
  azcred_token *warm = ask_first(credential, "c-warm");
  struct load loads[MANY];
  pthread_t threads[MANY];
  pid_t children[AT_ONCE];
  bool stop = false;
  int at;
  for (at = 0; at < MANY; ++at) {
    loads[at].shared = credential;
    loads[at].warm = warm;
    loads[at].number = at;
    loads[at].stop = &stop;
    CHECK(pthread_mutex_init(&loads[at].mutex, NULL) == 0);
    CHECK(pthread_cond_init(&loads[at].landed, NULL) == 0);
    CHECK(pthread_create(&threads[at], NULL, work, &loads[at]) == 0);
  }
  for (at = 0; at < forks; ++at) {
    children[at % AT_ONCE] = fork_child();
    if (children[at % AT_ONCE] == 0) {
      char name[64];
      azcred_credential *own = credential_new();
      snprintf(name, sizeof name, "c-child-%d", at);
      ask_held(own, "c-warm", warm);
      ask_source(at % 2 == 0 ? own : credential, name);
      azcred_token_free(warm);
      azcred_credential_free(own);
      azcred_credential_free(credential);
      exit(0);
    }
    if (at % AT_ONCE == AT_ONCE - 1) {
      int which;
      for (which = 0; which < AT_ONCE; ++which) {
        ends_well(children[which]);
      }
    }
  }
  __atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
  for (at = 0; at < MANY; ++at) {
    CHECK(pthread_join(threads[at], NULL) == 0);
  }
  ask_held(credential, "c-warm", warm);
  azcred_token_free(warm);
  azcred_credential_free(credential);
}

struct completion {
  azcred_credential *credential;
  pthread_mutex_t mutex;
  pthread_cond_t done;
  bool is_done;
};

static void forks_inside(void *user_data, azcred_token *token, azcred_error *error) {
  struct completion *completion = user_data;
  pid_t child;
  CHECK(token != NULL && error == NULL);
  child = fork_child();
  if (child == 0) {
    /* This was azcred's own thread, on which nobody may wait; here it is the program's. */
    ask_held(completion->credential, "c-completion", token);
    ask_source(completion->credential, "c-completion-child");
    exit(0);
  }
  ends_well(child);
  azcred_token_free(token);
  pthread_mutex_lock(&completion->mutex);
  completion->is_done = true;
  pthread_cond_signal(&completion->done);
  pthread_mutex_unlock(&completion->mutex);
}

/* A completion forks, on azcred's thread. */
static void in_a_completion(void) {
  static const char *const scope = "https://c-completion.example/.default";
  azcred_token_request request = request_for(&scope);
  struct completion completion;
  completion.credential = credential_new();
  completion.is_done = false;
  CHECK(pthread_mutex_init(&completion.mutex, NULL) == 0);
  CHECK(pthread_cond_init(&completion.done, NULL) == 0);
  CHECK(azcred_credential_get_token_async(completion.credential, &request, forks_inside, &completion, NULL, NULL) ==
        AZCRED_OK);
  pthread_mutex_lock(&completion.mutex);
  while (!completion.is_done) {
    pthread_cond_wait(&completion.done, &completion.mutex);
  }
  pthread_mutex_unlock(&completion.mutex);
  ++tally->tokens;
  ask_source(completion.credential, "c-completion-after");
  azcred_credential_free(completion.credential);
}

/* How many descriptors are open; none but the first three may be handed to a program that this one becomes. */
static int descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  struct dirent *entry;
  int count = 0;
  CHECK(folder != NULL);
  while ((entry = readdir(folder)) != NULL) {
    int descriptor = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || descriptor == dirfd(folder)) {
      continue;
    }
    CHECK(descriptor < 3 || (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    ++count;
  }
  closedir(folder);
  return count;
}

/* Forking leaves no descriptor behind, and hands none on to other programs. */
static void leaves_nothing(void) {
  azcred_credential *credential = credential_new();
  azcred_token *warm = ask_first(credential, "c-warm");
  const int before = descriptors();
  int at;
  CHECK(before > 3); /* azcred has some: else this proves nothing */
  for (at = 0; at < 50; ++at) {
    pid_t child = fork_child();
    if (child == 0) {
      char name[32];
      snprintf(name, sizeof name, "c-left-%d", at);
      ask_held(credential, "c-warm", warm);
      ask_source(credential, name);
      CHECK(descriptors() <= 2 * before); /* the parent's, and its own */
      exit(0);
    }
    ends_well(child);
  }
  CHECK(descriptors() == before);
  azcred_token_free(warm);
  azcred_credential_free(credential);
}

int main(int argc, char **argv) {
  const char *scenario = argc > 1 ? argv[1] : "";
  tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(tally != MAP_FAILED);
  alarm(LONGEST);
  if (getenv("AZURE_CLIENT_SECRET") != NULL) {
    kind = "EnvironmentCredential";
  }
  if (strcmp(scenario, "grandchild") == 0) {
    grandchild();
  } else if (strcmp(scenario, "in_flight") == 0) {
    in_flight();
  } else if (strcmp(scenario, "under_load") == 0 && argc == 3) {
    under_load(atoi(argv[2]));
  } else if (strcmp(scenario, "in_a_completion") == 0) {
    in_a_completion();
  } else if (strcmp(scenario, "leaves_nothing") == 0) {
    leaves_nothing();
  } else {
    return 2;
  }
  printf("%ld\n", tally->tokens);
  return 0;
}
