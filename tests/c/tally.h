/*
 * A tally of completions: what asynchronous calls came to, and that each told its end exactly once.
 */
#ifndef TALLY_H
#define TALLY_H

#include <azcred.h>
#include <pthread.h>
#include <string.h>

#include "check.h"

struct tally {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int tokens, errors, freed;
  azcred_status last;
  pthread_t caller;
  char *text; /* the first token's; all others are the same */
};

static void count(void *user_data, azcred_token *token, azcred_error *error) {
  struct tally *tally = user_data;
  CHECK((token == NULL) != (error == NULL));
  CHECK(!pthread_equal(pthread_self(), tally->caller));
  pthread_mutex_lock(&tally->mutex);
  if (token != NULL) {
    if (tally->text == NULL) {
      tally->text = malloc(azcred_token_secret_len(token) + 1);
      CHECK(tally->text != NULL);
      strcpy(tally->text, azcred_token_secret(token));
    }
    CHECK(strcmp(tally->text, azcred_token_secret(token)) == 0);
    ++tally->tokens;
  } else {
    ++tally->errors;
    tally->last = azcred_error_status(error);
  }
  pthread_mutex_unlock(&tally->mutex);
  azcred_token_free(token);
  azcred_error_free(error);
}

static void count_free(void *user_data) {
  struct tally *tally = user_data;
  pthread_mutex_lock(&tally->mutex);
  ++tally->freed;
  pthread_cond_signal(&tally->changed);
  pthread_mutex_unlock(&tally->mutex);
}

static void tally_init(struct tally *tally) {
  memset(tally, 0, sizeof *tally);
  pthread_mutex_init(&tally->mutex, NULL);
  pthread_cond_init(&tally->changed, NULL);
  tally->caller = pthread_self();
}

static void tally_wait(struct tally *tally, int freed) {
  pthread_mutex_lock(&tally->mutex);
  while (tally->freed < freed) {
    pthread_cond_wait(&tally->changed, &tally->mutex);
  }
  pthread_mutex_unlock(&tally->mutex);
  free(tally->text);
}

#endif
