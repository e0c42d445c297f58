/*
 * azcred for C++17: a thin RAII face over azcred.h. Errors are exceptions, objects free themselves.
 *
 *     azcred::Credential credential("DefaultAzureCredential");
 *     azcred::Token token = credential.get_token({"https://storage.azure.com/.default"});
 *     headers.push_back("Authorization: " + std::string(token.authorization()));
 *
 * Threads: as in azcred.h, any object may be used from any threads at once, save while it is being destroyed or moved.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef AZCRED_HPP
#define AZCRED_HPP

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azcred.h"

namespace azcred {

namespace detail {

template <typename T, void (*Free)(T *)>
struct Deleter {
  void operator()(T *object) const noexcept { Free(object); }
};

template <typename T, void (*Free)(T *)>
using Owned = std::unique_ptr<T, Deleter<T, Free>>;

/** A text for C, which ends at its first NUL: one that goes on behind it is a mistake. */
inline const char *c_text(const std::string &given, const char *name) {
  if (given.find('\0') != std::string::npos) {
    throw std::invalid_argument(std::string(name) + ": expected a text without NUL");
  }
  return given.c_str();
}

inline std::string text(const char *given) { return given == nullptr ? std::string() : std::string(given); }

}  // namespace detail

/** What one member of a chain answered. */
struct Attempt {
  std::string credential;
  azcred_status status;
  std::string message;
};

/** Why a call failed. what() is safe to log: it holds no secret. */
class Error : public std::runtime_error {
 public:
  /** Consumes `error`. */
  Error(azcred_status status, azcred_error *error)
      : std::runtime_error(detail::text(azcred_error_message(error))),
        status_(status),
        code_(detail::text(azcred_error_code(error))),
        correlation_id_(detail::text(azcred_error_correlation_id(error))),
        claims_(detail::text(azcred_error_claims(error))),
        http_status_(azcred_error_http_status(error)),
        retry_after_(azcred_error_retry_after_ms(error)) {
    for (std::size_t at = 0; at < azcred_error_attempts_len(error); ++at) {
      attempts_.push_back({detail::text(azcred_error_attempt_credential(error, at)),
                           azcred_error_attempt_status(error, at),
                           detail::text(azcred_error_attempt_message(error, at))});
    }
    azcred_error_free(error);
  }

  /** What to do about it. */
  azcred_status status() const noexcept { return status_; }
  /** The provider's error code, such as "invalid_client", or "". */
  const std::string &code() const noexcept { return code_; }
  /** The id under which the provider logged the request, or "". */
  const std::string &correlation_id() const noexcept { return correlation_id_; }
  /** The claims that a new sign-in of the user must meet, a JSON object, or "". */
  const std::string &claims() const noexcept { return claims_; }
  /** The HTTP status of the answer that led to the error, or 0. */
  std::uint16_t http_status() const noexcept { return http_status_; }
  /** How long the provider asked us to wait; negative if it did not say. */
  std::chrono::milliseconds retry_after() const noexcept { return std::chrono::milliseconds(retry_after_); }
  /** What each member of a chain answered, first to last. */
  const std::vector<Attempt> &attempts() const noexcept { return attempts_; }

 private:
  azcred_status status_;
  std::string code_;
  std::string correlation_id_;
  std::string claims_;
  std::uint16_t http_status_;
  std::int64_t retry_after_;
  std::vector<Attempt> attempts_;
};

namespace detail {

/** Runs a call that takes an `error_out`, and throws what it left there. */
template <typename Call>
void check(Call call) {
  azcred_error *error = nullptr;
  const azcred_status status = call(&error);
  if (status != AZCRED_OK) {
    throw Error(status, error);
  }
}

}  // namespace detail

/** What a function that is an option is told, by name: "user_code" and others for one that shows a device code. */
class Call {
 public:
  /** Borrows a C call. */
  explicit Call(const azcred_call *call) noexcept : handle_(call) {}
  /** The text under a name, or "". */
  std::string text(const std::string &name) const { return detail::text(azcred_call_text(handle_, name.c_str())); }

 private:
  const azcred_call *handle_;
};

/** A function that is an option: gives a text, such as an assertion, or "". What it throws becomes the error. */
using Function = std::function<std::string(const Call &)>;

namespace detail {

inline void called(void *user_data, const azcred_call *call, azcred_reply *reply) noexcept {
  try {
    const std::string answer = (*static_cast<Function *>(user_data))(Call(call));
    azcred_reply_set_text(reply, answer.empty() ? nullptr : c_text(answer, "its text"));
  } catch (const std::exception &error) {
    azcred_reply_set_error(reply, error.what());
  } catch (...) {
    azcred_reply_set_error(reply, "it threw something that is no std::exception");
  }
}

inline void function_free(void *user_data) noexcept { delete static_cast<Function *>(user_data); }

}  // namespace detail

/** The settings of a credential, by name; checked when a credential is made of them. */
class Options {
 public:
  Options() : handle_(azcred_options_new()) {}

  /** Sets an option to a text. */
  Options &set(const std::string &name, const std::string &value) {
    detail::check([&](azcred_error **error) {
      return azcred_options_set_text(handle_.get(), detail::c_text(name, "name"), detail::c_text(value, "value"), error);
    });
    return *this;
  }
  /** Sets an option to a text; a literal would else become a truth value. */
  Options &set(const std::string &name, const char *value) { return set(name, std::string(value)); }
  /** Sets an option to bytes, such as the content of a PKCS#12 file. */
  Options &set_bytes(const std::string &name, const void *value, std::size_t size) {
    detail::check([&](azcred_error **error) {
      const auto *bytes = static_cast<const std::uint8_t *>(value);
      return azcred_options_set_bytes(handle_.get(), detail::c_text(name, "name"), bytes, size, error);
    });
    return *this;
  }
  /** Sets an option to a function; it is called on threads that serve nothing else, also several times at once. */
  Options &set_function(const std::string &name, Function function) {
    auto owned = std::make_unique<Function>(std::move(function));
    detail::check([&](azcred_error **error) {
      return azcred_options_set_function(handle_.get(), detail::c_text(name, "name"), detail::called, owned.get(),
                                         detail::function_free, error);
    });
    owned.release();  // azcred frees it
    return *this;
  }
  /** Sets an option to a truth value. */
  Options &set(const std::string &name, bool value) {
    detail::check(
        [&](azcred_error **error) { return azcred_options_set_bool(handle_.get(), name.c_str(), value, error); });
    return *this;
  }
  /** Sets an option to a number. */
  Options &set(const std::string &name, double value) {
    detail::check(
        [&](azcred_error **error) { return azcred_options_set_number(handle_.get(), name.c_str(), value, error); });
    return *this;
  }
  /** Sets an option to a whole number. */
  Options &set(const std::string &name, int value) {
    detail::check(
        [&](azcred_error **error) { return azcred_options_set_int(handle_.get(), name.c_str(), value, error); });
    return *this;
  }
  /** Adds a text to an option that takes a list. */
  Options &add(const std::string &name, const std::string &value) {
    detail::check([&](azcred_error **error) {
      return azcred_options_add_text(handle_.get(), detail::c_text(name, "name"), detail::c_text(value, "value"), error);
    });
    return *this;
  }

  /** The C object, borrowed. */
  const azcred_options *get() const noexcept { return handle_.get(); }

 private:
  detail::Owned<azcred_options, azcred_options_free> handle_;
};

/** Lets waiting callers go: trigger it from any thread. */
class Cancel {
 public:
  Cancel() : handle_(azcred_cancel_new()) {}
  /** Lets everyone go who waits with this. */
  void trigger() const noexcept { azcred_cancel_trigger(handle_.get()); }
  /** The C object, borrowed. */
  const azcred_cancel *get() const noexcept { return handle_.get(); }

 private:
  detail::Owned<azcred_cancel, azcred_cancel_free> handle_;
};

/** A token for one resource. Its texts live as long as it does. */
class Token {
 public:
  /** Takes over a C token. */
  explicit Token(azcred_token *token) noexcept : handle_(token) {}

  /** The token's text. Don't log it. */
  std::string_view secret() const noexcept {
    return {azcred_token_secret(handle_.get()), azcred_token_secret_len(handle_.get())};
  }
  /** The value of an `Authorization` header. Don't log it. */
  std::string_view authorization() const noexcept { return azcred_token_authorization(handle_.get()); }
  /** When the token dies. */
  std::chrono::system_clock::time_point expires_on() const noexcept {
    return std::chrono::system_clock::time_point(std::chrono::seconds(azcred_token_expires_on(handle_.get())));
  }
  /** The credential that fetched it: in a chain, the member. */
  std::string credential() const { return detail::text(azcred_token_credential(handle_.get())); }
  /** What that credential asked. */
  std::string source() const { return detail::text(azcred_token_source(handle_.get())); }
  /** The tenant asked for, or "". */
  std::string tenant_id() const { return detail::text(azcred_token_tenant_id(handle_.get())); }
  /** The client id of the identity, or "". */
  std::string client_id() const { return detail::text(azcred_token_client_id(handle_.get())); }
  /** The C object, borrowed. */
  const azcred_token *get() const noexcept { return handle_.get(); }

 private:
  detail::Owned<azcred_token, azcred_token_free> handle_;
};

/** One question to a credential. */
struct TokenRequest {
  std::vector<std::string> scopes;
  /** Another tenant than the credential's own, or "". */
  std::string tenant_id = {};
  /** The decoded JSON of a claims challenge, or "". */
  std::string claims = {};
  /** How long this caller waits at most; zero waits as long as the source's own deadline. */
  std::chrono::milliseconds timeout{0};
  /** How long the token must still live. */
  std::chrono::seconds min_ttl{0};
  /** Lets the waiting caller go early. */
  const Cancel *cancel = nullptr;
  /** Whether the caller handles claims challenges. */
  bool enable_cae = false;
};

/** What happened for an identity since the process started; see azcred_statistics. */
struct Statistics {
  /** Calls that took a live token out of the cache. */
  std::uint64_t hits;
  /** Calls that found no token they could take. */
  std::uint64_t misses;
  /** Of the misses, those that waited for a flight which another call had started. */
  std::uint64_t waiters;
  /** Times that the source was asked. */
  std::uint64_t flights;
  /** HTTP requests that were sent and programs that were run by these flights. */
  std::uint64_t upstream_requests;
  /** Flights that brought no token. */
  std::uint64_t failures;
};

/** A source of tokens. Making one does no I/O and starts no thread. */
class Credential {
 public:
  /** A credential by its class name, such as "DefaultAzureCredential". */
  explicit Credential(const std::string &name, const Options &options = Options()) {
    azcred_credential *credential = nullptr;
    detail::check([&](azcred_error **error) {
      return azcred_credential_new(name.c_str(), options.get(), &credential, error);
    });
    handle_.reset(credential);
  }

  /** A chain that asks its members in their order. */
  static Credential chain(const std::vector<const Credential *> &members) {
    std::vector<const azcred_credential *> handles;
    for (const Credential *member : members) {
      handles.push_back(member->handle_.get());
    }
    azcred_credential *credential = nullptr;
    detail::check([&](azcred_error **error) {
      return azcred_credential_new_chain(handles.data(), handles.size(), &credential, error);
    });
    return Credential(credential);
  }

  /**
   * Says that a resource refused this token though it looks alive (HTTP 401): the next call asks for another one. Gives
   * whether it will: not for a token that is not the newest, nor twice for the same one, nor sooner than 30 s after the one
   * before.
   */
  bool reject(const Token &token) const noexcept { return azcred_credential_reject(handle_.get(), token.get()); }
  /** What happened so far for this credential's identity in this process, by all credentials that share it. */
  Statistics statistics() const {
    azcred_statistics *taken = nullptr;
    detail::check([&](azcred_error **error) { return azcred_credential_statistics(handle_.get(), &taken, error); });
    const detail::Owned<azcred_statistics, azcred_statistics_free> counters(taken);
    return {azcred_statistics_hits(taken),    azcred_statistics_misses(taken),
            azcred_statistics_waiters(taken), azcred_statistics_flights(taken),
            azcred_statistics_upstream_requests(taken), azcred_statistics_failures(taken)};
  }
  /** Gets a token: from the cache at once, else it blocks this thread. */
  Token get_token(const TokenRequest &request) const {
    azcred_token *token = nullptr;
    ask(request, [&](const azcred_token_request &ask, azcred_error **error) {
      return azcred_credential_get_token(handle_.get(), &ask, &token, error);
    });
    return Token(token);
  }

  /** Has the user sign in; the record of it, JSON text for the option "authentication_record". */
  std::string authenticate(const TokenRequest &request = {}) const {
    azcred_record *record = nullptr;
    ask(request, [&](const azcred_token_request &ask, azcred_error **error) {
      return azcred_credential_authenticate(handle_.get(), &ask, &record, error);
    });
    const detail::Owned<azcred_record, azcred_record_free> owned(record);
    return detail::text(azcred_record_json(record));
  }

  /** The class name. */
  std::string name() const { return detail::text(azcred_credential_name(handle_.get())); }

  /** The C object, borrowed. */
  const azcred_credential *get() const noexcept { return handle_.get(); }

 private:
  explicit Credential(azcred_credential *credential) noexcept : handle_(credential) {}

  /** Makes a call with a request as C has it. */
  template <typename Make>
  static void ask(const TokenRequest &request, Make make) {
    std::vector<const char *> scopes;
    for (const std::string &scope : request.scopes) {
      scopes.push_back(detail::c_text(scope, "scope"));
    }
    if (request.timeout.count() < 0) {
      throw std::invalid_argument("timeout: expected milliseconds from 0 on");
    }
    azcred_token_request ask = AZCRED_TOKEN_REQUEST_INIT;
    ask.scopes = scopes.data();
    ask.scopes_len = scopes.size();
    ask.tenant_id = request.tenant_id.empty() ? nullptr : detail::c_text(request.tenant_id, "tenant_id");
    ask.claims = request.claims.empty() ? nullptr : detail::c_text(request.claims, "claims");
    ask.timeout_ms = static_cast<std::uint64_t>(request.timeout.count());
    ask.min_ttl = request.min_ttl.count();
    ask.cancel = request.cancel == nullptr ? nullptr : request.cancel->get();
    ask.enable_cae = request.enable_cae;
    detail::check([&](azcred_error **error) { return make(ask, error); });
  }

  detail::Owned<azcred_credential, azcred_credential_free> handle_;
};

/**
 * A function that gives the text of a live token, for clients that want one instead of a credential. It throws as
 * get_token() does, and may be copied and called from any threads. Don't log what it gives.
 *
 * Consumes the credential, so that nothing dangles; another one of the same identity shares its tokens.
 */
inline std::function<std::string()> bearer_token_provider(Credential credential, const std::string &scope) {
  TokenRequest request;
  request.scopes.push_back(scope);
  return [shared = std::make_shared<const Credential>(std::move(credential)), request = std::move(request)] {
    return std::string(shared->get_token(request).secret());
  };
}

}  // namespace azcred

#endif /* AZCRED_HPP */
