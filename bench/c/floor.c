/* The floor for the C door, a Rust function that does what a cached call can't do without: floor time|NUMBER. */
#include <stddef.h>

#include "loop.h"

/* bench/rust/floor */
struct cache;
struct token;
struct cache *floor_new(const char *scope);
const struct token *floor_get(const struct cache *cache, const char *scope);
size_t floor_len(const struct token *token);
void floor_free(const struct token *token);

static const char *const SCOPE = "https://storage.azure.com/.default";

static int calls(void *cache, long number) {
  for (; number > 0; --number) {
    const struct token *token = floor_get(cache, SCOPE);
    if (token == NULL || floor_len(token) == 0) {
      return 1;
    }
    floor_free(token);
  }
  return 0;
}

int main(int argc, char **argv) { return argc == 2 ? loop_main(argv[1], calls, floor_new(SCOPE)) : 2; }
