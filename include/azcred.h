/*
 * azcred: one token source and one identity configuration for Microsoft Entra ID.
 *
 * Generated from ffi/ by `cargo xtask header`; edit the sources there.
 *
 * Ownership. An `_out` parameter gives an object to pass to its `_free`; it is NULL unless the call returned AZCRED_OK,
 * but for `error_out`, which owns an error when it did not. `const T *` is borrowed for the call; `T *` given to a
 * `_free` is consumed. Getters return pointers that live as long as their object. `_free(NULL)` does nothing.
 * Texts. In: NUL-terminated UTF-8, copied before return. Out: NUL-terminated UTF-8, owned by their object.
 * Threads. Any object may be used from any threads at once, save while it is being freed.
 * Units. Spans named `_ms` are milliseconds, others seconds; moments are Unix seconds.
 * Fork. A forked child may use every object it inherited; it keeps the cached tokens.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef AZCRED_H
#define AZCRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of this header; azcred_version() is that of the library. */
#define AZCRED_VERSION "0.1.0"
#define AZCRED_VERSION_MAJOR 0
#define AZCRED_VERSION_MINOR 1
#define AZCRED_VERSION_PATCH 0

/* The start of every request: azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT; */
#define AZCRED_TOKEN_REQUEST_INIT {sizeof(azcred_token_request), NULL, 0, NULL, NULL, 0, 0, NULL, false}

/**
 * What happened, as an answer to "what should I do now?". Numbers are never reused.
 */
typedef enum {
  /**
   * The only success.
   */
  AZCRED_OK = 0,
  /**
   * This credential could not try here; a chain goes on.
   */
  AZCRED_UNAVAILABLE = 10,
  /**
   * Tried and refused; it will not mend by itself.
   */
  AZCRED_FAILED = 20,
  /**
   * Tried, and no answer after the retries allowed; try again later.
   */
  AZCRED_TRANSIENT = 30,
  /**
   * A setting (option, environment variable, file) is wrong.
   */
  AZCRED_INVALID_CONFIGURATION = 40,
  /**
   * The call is wrong (NULL, scope, tenant, claims).
   */
  AZCRED_INVALID_ARGUMENT = 50,
  /**
   * The caller left before the answer came.
   */
  AZCRED_CANCELLED = 60,
  /**
   * The caller's deadline passed before the answer came.
   */
  AZCRED_TIMED_OUT = 70,
  /**
   * A bug in azcred was contained; please report it.
   */
  AZCRED_INTERNAL = 90,
} azcred_status;

/**
 * How much a log line matters, or from what on lines are wanted.
 */
typedef enum {
  /**
   * No lines at all.
   */
  AZCRED_LOG_OFF = 0,
  /**
   * What should not happen.
   */
  AZCRED_LOG_ERROR = 1,
  /**
   * A call that failed, or a setting that could not be used.
   */
  AZCRED_LOG_WARN = 2,
  /**
   * A choice that was made.
   */
  AZCRED_LOG_INFO = 3,
  /**
   * The steps on the way.
   */
  AZCRED_LOG_DEBUG = 4,
  /**
   * Everything.
   */
  AZCRED_LOG_TRACE = 5,
} azcred_log_level;

/**
 * A credential and the request it is always asked, for clients that take a function and one pointer: what azure-identity
 * calls a bearer token provider. May be used from any threads at once, save while it is being freed.
 *
 * `azcred_bearer_token_provider_new`, `azcred_bearer_token_provider_get`, `azcred_bearer_token_provider_free`.
 */
typedef struct azcred_bearer_token_provider azcred_bearer_token_provider;

/**
 * What a function is told, by name. A function that shows a device code: "verification_uri", "user_code", "expires_on"
 * (Unix seconds) and "message" (a sentence with all of it). A function that gives an assertion: nothing.
 *
 * `azcred_call_text`.
 */
typedef struct azcred_call azcred_call;

/**
 * A cancellation: created, named in requests, triggered from any thread, freed.
 *
 * `azcred_cancel_new`, `azcred_cancel_trigger`, `azcred_cancel_free`.
 */
typedef struct azcred_cancel azcred_cancel;

/**
 * A source of tokens. Making one does no I/O and starts no thread; all credentials of a process with the same identity
 * share their tokens. May be used from any threads at once, save while it is being freed.
 *
 * `azcred_credential_new`, `azcred_credential_new_chain`, `azcred_credential_name`, `azcred_credential_get_token`,
 * `azcred_credential_get_token_async`, `azcred_credential_authenticate`, `azcred_credential_authenticate_async`,
 * `azcred_credential_reject`, `azcred_credential_statistics`, `azcred_credential_free`.
 */
typedef struct azcred_credential azcred_credential;

/**
 * Why a call failed. Its texts are safe to log: they hold no secret.
 *
 * `azcred_error_status`, `azcred_error_message`, `azcred_error_code`, `azcred_error_correlation_id`,
 * `azcred_error_claims`, `azcred_error_http_status`, `azcred_error_retry_after_ms`, `azcred_error_attempts_len`,
 * `azcred_error_attempt_credential`, `azcred_error_attempt_status`, `azcred_error_attempt_message`,
 * `azcred_error_free`.
 */
typedef struct azcred_error azcred_error;

/**
 * One log line. It holds no secret.
 *
 * `azcred_log_line_level`, `azcred_log_line_target`, `azcred_log_line_text`, `azcred_log_line_time_ms`.
 */
typedef struct azcred_log_line azcred_log_line;

/**
 * Options by name, with the names of azure-identity for Python ("tenant_id", "process_timeout"). Names and types are
 * checked when a credential is made of them.
 *
 * `azcred_options_new`, `azcred_options_set_text`, `azcred_options_add_text`, `azcred_options_set_bytes`,
 * `azcred_options_set_bool`, `azcred_options_set_int`, `azcred_options_set_number`, `azcred_options_set_function`,
 * `azcred_options_free`.
 */
typedef struct azcred_options azcred_options;

/**
 * Who signed in. It holds no secret: a program may keep its text, and pin a later credential to the same account with
 * the option "authentication_record".
 *
 * `azcred_credential_authenticate`, `azcred_credential_authenticate_async`, `azcred_record_json`, `azcred_record_free`.
 */
typedef struct azcred_record azcred_record;

/**
 * Where a function puts its answer. The last call wins; without any, the answer is "no text".
 *
 * `azcred_reply_set_text`, `azcred_reply_set_error`.
 */
typedef struct azcred_reply azcred_reply;

/**
 * How often an identity's tokens were asked for since the process started, and what came of it: a snapshot, which does not
 * change. A forked child goes on from its parent's numbers.
 *
 * `azcred_statistics_hits`, `azcred_statistics_misses`, `azcred_statistics_waiters`, `azcred_statistics_flights`,
 * `azcred_statistics_upstream_requests`, `azcred_statistics_failures`, `azcred_statistics_free`.
 */
typedef struct azcred_statistics azcred_statistics;

/**
 * A token for one resource. Its texts live as long as it does, and none is a copy of the token. Getting one from the
 * cache and freeing it allocates nothing.
 *
 * `azcred_token_secret`, `azcred_token_secret_len`, `azcred_token_authorization`, `azcred_token_type`,
 * `azcred_token_expires_on`, `azcred_token_refresh_on`, `azcred_token_credential`, `azcred_token_source`,
 * `azcred_token_tenant_id`, `azcred_token_client_id`, `azcred_token_cache_level`, `azcred_token_free`.
 */
typedef struct azcred_token azcred_token;

/**
 * One question to a credential. Start from `AZCRED_TOKEN_REQUEST_INIT` and set what you need; zero means "no wish".
 * Fields are only ever appended; `struct_size` says which ones the caller knows.
 */
typedef struct {
  /**
   * `sizeof(azcred_token_request)`, set by `AZCRED_TOKEN_REQUEST_INIT`.
   */
  size_t struct_size;
  /**
   * What the token is for, such as "https://storage.azure.com/.default": `scopes_len` NUL-terminated texts.
   */
  const char *const *scopes;
  /**
   * How many scopes there are; managed identities and the Azure CLI take exactly one.
   */
  size_t scopes_len;
  /**
   * Another tenant than the credential's own, or NULL.
   */
  const char *tenant_id;
  /**
   * The decoded JSON of a claims challenge, or NULL.
   */
  const char *claims;
  /**
   * How long this caller waits at most, in milliseconds; 0 waits as long as the source's own deadline.
   */
  uint64_t timeout_ms;
  /**
   * How long the token must still live, in seconds.
   */
  int64_t min_ttl;
  /**
   * Lets the waiting caller go early, or NULL.
   */
  const azcred_cancel *cancel;
  /**
   * Whether the caller handles claims challenges (continuous access evaluation).
   */
  bool enable_cae;
} azcred_token_request;

/**
 * Called once with the outcome of `azcred_credential_get_token_async`: exactly one of `token` and `error` is not NULL,
 * and it is the callee's to free.
 */
typedef void (*azcred_token_callback)(void *user_data, azcred_token *token, azcred_error *error);

/**
 * Frees what a callback or a function was given as `user_data`.
 */
typedef void (*azcred_user_data_free)(void *user_data);

/**
 * Gets a log line, on any thread, azcred's own among them, at any time. It borrows `line` for the call, must come back soon,
 * and must not call azcred but for the line's getters.
 */
typedef void (*azcred_log_callback)(void *user_data, const azcred_log_line *line);

/**
 * A function that is an option: reads what it is told from `call` and puts its answer into `reply`. Both are borrowed for
 * the call. It must return, and throw nothing.
 */
typedef void (*azcred_function)(void *user_data, const azcred_call *call, azcred_reply *reply);

/**
 * Called once with the outcome of `azcred_credential_authenticate_async`: exactly one of `record` and `error` is not
 * NULL, and it is the callee's to free.
 */
typedef void (*azcred_record_callback)(void *user_data, azcred_record *record, azcred_error *error);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates a cancellation that nobody triggered yet.
 *
 * Gives an object for `azcred_cancel_free`. Any thread. Since 0.1.0.
 */
azcred_cancel *azcred_cancel_new(void);

/**
 * Lets everyone go who waits with this cancellation, and everyone who will: their calls end with `AZCRED_CANCELLED`.
 * A fetch they waited on goes on and fills the cache.
 *
 * Borrows `cancel`; NULL does nothing. Any thread, signal handlers excluded. Since 0.1.0.
 */
void azcred_cancel_trigger(const azcred_cancel *cancel);

/**
 * Frees a cancellation; requests that name it keep their own hold on it.
 *
 * Consumes `cancel`; NULL does nothing. Since 0.1.0.
 */
void azcred_cancel_free(azcred_cancel *cancel);

/**
 * Creates a credential by its class name, such as "DefaultAzureCredential", "ManagedIdentityCredential",
 * "ClientSecretCredential", "EnvironmentCredential" or "AzureCliCredential". Environment variables are read here.
 *
 * Copies `name` and `options`; `options` may be NULL. `*credential_out` owns an object for `azcred_credential_free`,
 * NULL on failure; on failure `*error_out`, if given, owns an error that names the option or variable that is wrong.
 * Any thread. Since 0.1.0.
 */
azcred_status azcred_credential_new(const char *name,
                                    const azcred_options *options,
                                    azcred_credential **credential_out,
                                    azcred_error **error_out);

/**
 * Creates a chain (`ChainedTokenCredential`) that asks its members in their order until one is available.
 *
 * Borrows the `members_len` credentials of `members` for the call; they may be freed afterwards. `*credential_out` owns
 * an object for `azcred_credential_free`, NULL on failure; on failure `*error_out`, if given, owns an error. Any thread.
 * Since 0.1.0.
 */
azcred_status azcred_credential_new_chain(const azcred_credential *const *members,
                                          size_t members_len,
                                          azcred_credential **credential_out,
                                          azcred_error **error_out);

/**
 * The credential's class name.
 *
 * Borrows `credential`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_credential_name(const azcred_credential *credential);

/**
 * Gets a token: from the cache at once, else it blocks this thread until the source has answered, the request's timeout
 * has passed or its cancellation is triggered. Nothing of azcred's runs on this thread meanwhile. Not from inside a
 * completion of azcred's (`AZCRED_INVALID_ARGUMENT`); a function that is an option may call it.
 *
 * Borrows `credential` and `request`. `*token_out` owns a token for `azcred_token_free`, NULL on failure; on failure
 * `*error_out`, if given, owns an error. Any thread, any number at once. Since 0.1.0.
 */
azcred_status azcred_credential_get_token(const azcred_credential *credential,
                                          const azcred_token_request *request,
                                          azcred_token **token_out,
                                          azcred_error **error_out);

/**
 * Gets a token without blocking: `callback` is called exactly once, on a thread of azcred's, never from inside this call;
 * `user_data_free`, if given, right after it. The callback must not block. If this call fails, neither is called.
 *
 * Borrows `credential` and copies `request`; both may go before the callback. On failure `*error_out`, if given, owns an
 * error. Any thread. Since 0.1.0.
 */
azcred_status azcred_credential_get_token_async(const azcred_credential *credential,
                                                const azcred_token_request *request,
                                                azcred_token_callback callback,
                                                void *user_data,
                                                azcred_user_data_free user_data_free,
                                                azcred_error **error_out);

/**
 * Says that a resource refused this token though it looks alive (HTTP 401): the next call asks the source for another
 * one. Gives whether it will: not for a token that is not the newest, nor twice for the same one, nor sooner than 30 s
 * after the one before, so that a resource that refuses everything leads to no storm upstream.
 *
 * Borrows `credential` and `token`; NULL gives false. Any thread. Since 0.1.0.
 */
bool azcred_credential_reject(const azcred_credential *credential, const azcred_token *token);

/**
 * Frees a credential. Calls in progress end by themselves; the cache stays for others of the same identity.
 *
 * Consumes `credential`; NULL does nothing. Never does I/O. Since 0.1.0.
 */
void azcred_credential_free(azcred_credential *credential);

/**
 * What happened. NULL gives `AZCRED_OK`, as "no error".
 *
 * Borrows `error`. Any thread. Since 0.1.0.
 */
azcred_status azcred_error_status(const azcred_error *error);

/**
 * The whole sentence, UTF-8; a chain's report has a line per member.
 *
 * Borrows `error`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_error_message(const azcred_error *error);

/**
 * The provider's error code, such as "invalid_client"; NULL if there is none. "authentication_required" is azcred's own:
 * the user has to sign in, by `azcred_credential_authenticate`.
 *
 * Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_error_code(const azcred_error *error);

/**
 * The id under which the provider logged the request; NULL if there is none.
 *
 * Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_error_correlation_id(const azcred_error *error);

/**
 * The claims that a new sign-in of the user must meet, as a JSON object: for the `claims` of a request, or for an API's
 * caller; NULL if there are none.
 *
 * Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_error_claims(const azcred_error *error);

/**
 * The HTTP status of the answer that led to the error; 0 if there was no answer.
 *
 * Borrows `error`. Any thread. Since 0.1.0.
 */
uint16_t azcred_error_http_status(const azcred_error *error);

/**
 * How long the provider asked us to wait, in milliseconds; -1 if it did not say.
 *
 * Borrows `error`. Any thread. Since 0.1.0.
 */
int64_t azcred_error_retry_after_ms(const azcred_error *error);

/**
 * How many members of a chain were asked; 0 outside chains.
 *
 * Borrows `error`. Any thread. Since 0.1.0.
 */
size_t azcred_error_attempts_len(const azcred_error *error);

/**
 * The name of the member at `index`, such as "ManagedIdentityCredential"; NULL beyond the last.
 *
 * Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_error_attempt_credential(const azcred_error *error, size_t index);

/**
 * What the member at `index` answered; `AZCRED_OK` beyond the last.
 *
 * Borrows `error`. Any thread. Since 0.1.0.
 */
azcred_status azcred_error_attempt_status(const azcred_error *error, size_t index);

/**
 * The sentence of the member at `index`; NULL beyond the last.
 *
 * Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_error_attempt_message(const azcred_error *error, size_t index);

/**
 * Frees an error.
 *
 * Consumes `error`; NULL does nothing. Since 0.1.0.
 */
void azcred_error_free(azcred_error *error);

/**
 * What the function is told under a name; NULL if it is told nothing of that name.
 *
 * Borrows `call`; the text lives as long as it. NULL gives NULL. Since 0.1.0.
 */
const char *azcred_call_text(const azcred_call *call, const char *name);

/**
 * Answers with a text, such as an assertion. NULL is "no text"; a text that is not UTF-8 is an error.
 *
 * Borrows `reply`; copies `text`. NULL as `reply` does nothing. Since 0.1.0.
 */
void azcred_reply_set_text(azcred_reply *reply, const char *text);

/**
 * Answers that there is no text, with a sentence that says why and holds no secret: it becomes part of an error.
 *
 * Borrows `reply`; copies `sentence`. NULL as `reply` does nothing. Since 0.1.0.
 */
void azcred_reply_set_error(azcred_reply *reply, const char *sentence);

/**
 * Gives the log lines of the whole process, of `level` (an `azcred_log_level`) and above, to `callback` from now on, instead
 * of what was given before. A NULL `callback` ends it. Without this call there are no lines, save on standard error where
 * the environment has `AZCRED_LOG`. No call that is answered from the cache has a line.
 *
 * `user_data_free`, if given, is called once, on any thread, when `callback` was replaced and no call of it is left; at once
 * for a NULL `callback`; if this call fails, never. On failure `*error_out`, if given, owns an error. Any thread. Since 0.1.0.
 */
azcred_status azcred_log_set(uint32_t level,
                             azcred_log_callback callback,
                             void *user_data,
                             azcred_user_data_free user_data_free,
                             azcred_error **error_out);

/**
 * How much the line matters.
 *
 * Borrows `line`. NULL gives `AZCRED_LOG_OFF`. Since 0.1.0.
 */
azcred_log_level azcred_log_line_level(const azcred_log_line *line);

/**
 * Which part of azcred says it, such as "azcred::cache::flight".
 *
 * Borrows `line`; the text lives as long as it. NULL gives NULL. Since 0.1.0.
 */
const char *azcred_log_line_target(const azcred_log_line *line);

/**
 * The sentence and what belongs to it. It may have line breaks, as a chain's report has.
 *
 * Borrows `line`; the text lives as long as it. NULL gives NULL. Since 0.1.0.
 */
const char *azcred_log_line_text(const azcred_log_line *line);

/**
 * When, in milliseconds since 1970.
 *
 * Borrows `line`. NULL gives 0. Since 0.1.0.
 */
int64_t azcred_log_line_time_ms(const azcred_log_line *line);

/**
 * Creates options with nothing set.
 *
 * Gives an object for `azcred_options_free`. Any thread. Since 0.1.0.
 */
azcred_options *azcred_options_new(void);

/**
 * Sets an option to a text; NULL as `value` means "given, and empty".
 *
 * Borrows `options`; copies `name` and `value` (UTF-8). Any thread. On failure `*error_out`, if given, owns an error.
 * Since 0.1.0.
 */
azcred_status azcred_options_set_text(const azcred_options *options,
                                      const char *name,
                                      const char *value,
                                      azcred_error **error_out);

/**
 * Adds a text to an option that takes a list, such as "additionally_allowed_tenants".
 *
 * Borrows `options`; copies `name` and `value` (UTF-8). Any thread. On failure `*error_out`, if given, owns an error.
 * Since 0.1.0.
 */
azcred_status azcred_options_add_text(const azcred_options *options,
                                      const char *name,
                                      const char *value,
                                      azcred_error **error_out);

/**
 * Sets an option to bytes, such as the content of a PKCS#12 file.
 *
 * Borrows `options`; copies `name` and the `value_len` bytes of `value`, which may be NULL if there are none. Any thread.
 * On failure `*error_out`, if given, owns an error. Since 0.1.0.
 */
azcred_status azcred_options_set_bytes(const azcred_options *options,
                                       const char *name,
                                       const uint8_t *value,
                                       size_t value_len,
                                       azcred_error **error_out);

/**
 * Sets an option to a function, such as "func" of ClientAssertionCredential.
 *
 * `callback` is called once for each answer that is needed, also several times at once, on threads of azcred's that serve
 * nothing else: it may block, and may use azcred. `user_data_free`, if given, is called exactly once, when nothing refers
 * to the function any more: these options, credentials made of them, calls in progress; on any thread, possibly inside
 * the `_free` that let go last. If this call fails, it is not called.
 *
 * Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
 */
azcred_status azcred_options_set_function(const azcred_options *options,
                                          const char *name,
                                          azcred_function callback,
                                          void *user_data,
                                          azcred_user_data_free user_data_free,
                                          azcred_error **error_out);

/**
 * Sets an option to a truth value.
 *
 * Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
 */
azcred_status azcred_options_set_bool(const azcred_options *options,
                                      const char *name,
                                      bool value,
                                      azcred_error **error_out);

/**
 * Sets an option to a whole number.
 *
 * Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
 */
azcred_status azcred_options_set_int(const azcred_options *options,
                                     const char *name,
                                     int64_t value,
                                     azcred_error **error_out);

/**
 * Sets an option to a number that may have a fraction, such as "process_timeout" in seconds.
 *
 * Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
 */
azcred_status azcred_options_set_number(const azcred_options *options,
                                        const char *name,
                                        double value,
                                        azcred_error **error_out);

/**
 * Frees options; credentials made of them have their own copy.
 *
 * Consumes `options`; NULL does nothing. Since 0.1.0.
 */
void azcred_options_free(azcred_options *options);

/**
 * Creates a provider of tokens for `request`, which is read once and checked.
 *
 * Borrows `credential`, which may be freed afterwards, and copies `request`. `*provider_out` owns an object for
 * `azcred_bearer_token_provider_free`, NULL on failure; on failure `*error_out`, if given, owns an error. A cancellation in
 * `request` counts for all calls. Any thread. Since 0.1.0.
 */
azcred_status azcred_bearer_token_provider_new(const azcred_credential *credential,
                                               const azcred_token_request *request,
                                               azcred_bearer_token_provider **provider_out,
                                               azcred_error **error_out);

/**
 * Gets a live token, as `azcred_credential_get_token` does: from the cache at once, else it blocks this thread. Its text is
 * `azcred_token_secret`, its header form `azcred_token_authorization`.
 *
 * Borrows `provider`. `*token_out` owns a token for `azcred_token_free`, NULL on failure; on failure `*error_out`, if given,
 * owns an error. Any thread, any number at once. Since 0.1.0.
 */
azcred_status azcred_bearer_token_provider_get(const azcred_bearer_token_provider *provider,
                                               azcred_token **token_out,
                                               azcred_error **error_out);

/**
 * Frees a provider. Calls in progress end by themselves.
 *
 * Consumes `provider`; NULL does nothing. Never does I/O. Since 0.1.0.
 */
void azcred_bearer_token_provider_free(azcred_bearer_token_provider *provider);

/**
 * Has the user sign in, whatever is cached, and blocks this thread until that is done, the request's timeout has passed
 * or its cancellation is triggered. A request without scopes asks for the cloud's management. Only credentials that a
 * user signs in to: DeviceCodeCredential, InteractiveBrowserCredential, UsernamePasswordCredential. Not from inside a
 * completion of azcred's (`AZCRED_INVALID_ARGUMENT`).
 *
 * Borrows `credential` and `request`. `*record_out` owns a record for `azcred_record_free`, NULL on failure; on failure
 * `*error_out`, if given, owns an error. Any thread, any number at once. Since 0.1.0.
 */
azcred_status azcred_credential_authenticate(const azcred_credential *credential,
                                             const azcred_token_request *request,
                                             azcred_record **record_out,
                                             azcred_error **error_out);

/**
 * Has the user sign in without blocking: `callback` is called exactly once, on a thread of azcred's, never from inside
 * this call; `user_data_free`, if given, right after it. The callback must not block. If this call fails, neither is
 * called.
 *
 * Borrows `credential` and copies `request`; both may go before the callback. On failure `*error_out`, if given, owns an
 * error. Any thread. Since 0.1.0.
 */
azcred_status azcred_credential_authenticate_async(const azcred_credential *credential,
                                                   const azcred_token_request *request,
                                                   azcred_record_callback callback,
                                                   void *user_data,
                                                   azcred_user_data_free user_data_free,
                                                   azcred_error **error_out);

/**
 * The record as JSON text, in azure-identity's form: "authority", "clientId", "homeAccountId", "tenantId", "username",
 * "version".
 *
 * Borrows `record`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_record_json(const azcred_record *record);

/**
 * Frees a record.
 *
 * Consumes `record`; NULL does nothing. Since 0.1.0.
 */
void azcred_record_free(azcred_record *record);

/**
 * Takes a snapshot of what happened for the credential's identity in this process, by all credentials that share it.
 *
 * Borrows `credential`. `*statistics_out` owns an object for `azcred_statistics_free`, NULL on failure; on failure
 * `*error_out`, if given, owns an error. Any thread. Since 0.1.0.
 */
azcred_status azcred_credential_statistics(const azcred_credential *credential,
                                           azcred_statistics **statistics_out,
                                           azcred_error **error_out);

/**
 * Calls that took a live token out of the cache.
 *
 * Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
 */
uint64_t azcred_statistics_hits(const azcred_statistics *statistics);

/**
 * Calls that found no token they could take.
 *
 * Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
 */
uint64_t azcred_statistics_misses(const azcred_statistics *statistics);

/**
 * Of the misses, those that waited for a flight which another call had started.
 *
 * Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
 */
uint64_t azcred_statistics_waiters(const azcred_statistics *statistics);

/**
 * Times that the source was asked, for a caller who waited or to renew ahead of time.
 *
 * Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
 */
uint64_t azcred_statistics_flights(const azcred_statistics *statistics);

/**
 * HTTP requests that were sent and programs that were run by these flights, retries and probes included.
 *
 * Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
 */
uint64_t azcred_statistics_upstream_requests(const azcred_statistics *statistics);

/**
 * Flights that brought no token.
 *
 * Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
 */
uint64_t azcred_statistics_failures(const azcred_statistics *statistics);

/**
 * Frees a snapshot.
 *
 * Consumes `statistics`; NULL does nothing. Since 0.1.0.
 */
void azcred_statistics_free(azcred_statistics *statistics);

/**
 * The token's text. Don't log it.
 *
 * Borrows `token`; the text lives as long as it, NUL-terminated. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_token_secret(const azcred_token *token);

/**
 * The length of the token's text in bytes, without the final NUL.
 *
 * Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
 */
size_t azcred_token_secret_len(const azcred_token *token);

/**
 * The value of an `Authorization` header: "Bearer " and the token. Don't log it.
 *
 * Borrows `token`; the text lives as long as it, NUL-terminated. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_token_authorization(const azcred_token *token);

/**
 * The token's type: "Bearer".
 *
 * Gives text that lives as long as the program. Any thread. Since 0.1.0.
 */
const char *azcred_token_type(const azcred_token *token);

/**
 * When the token dies, in Unix seconds.
 *
 * Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
 */
int64_t azcred_token_expires_on(const azcred_token *token);

/**
 * From when on a renewal is due, in Unix seconds; azcred renews by itself when asked for the token again.
 *
 * Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
 */
int64_t azcred_token_refresh_on(const azcred_token *token);

/**
 * The credential that fetched the token, such as "ManagedIdentityCredential": in a chain, the member.
 *
 * Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_token_credential(const azcred_token *token);

/**
 * What that credential asked: "imds", "app_service", "service_fabric", "azure_arc", "azure_ml", "cloud_shell", "entra",
 * "azure_cli", "azure_powershell", "azure_developer_cli".
 *
 * Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_token_source(const azcred_token *token);

/**
 * The tenant asked for; NULL where the source takes none.
 *
 * Borrows `token`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_token_tenant_id(const azcred_token *token);

/**
 * The client id of the identity; NULL where it is not known.
 *
 * Borrows `token`; the text lives as long as it. Any thread. Since 0.1.0.
 */
const char *azcred_token_client_id(const azcred_token *token);

/**
 * Which cache answered this call: "source" (none), "process", or "store" (another process of the user had fetched it).
 *
 * Borrows `token`; the text lives as long as the program. NULL gives NULL. Any thread. Since 0.1.0.
 */
const char *azcred_token_cache_level(const azcred_token *token);

/**
 * Frees a token; what is freed last of its text is wiped.
 *
 * Consumes `token`; NULL does nothing. Since 0.1.0.
 */
void azcred_token_free(azcred_token *token);

/**
 * The version of the library that is loaded, such as "0.1.0"; `AZCRED_VERSION` is that of this header.
 *
 * Gives text that lives as long as the program. Any thread. Since 0.1.0.
 */
const char *azcred_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AZCRED_H */
