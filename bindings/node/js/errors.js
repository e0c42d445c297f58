"use strict";

/**
 * Why there is no token, as `Error` objects.
 *
 * `code` says what to do and is the same at every door of azcred; `name` is what chains and policies of the Azure SDK
 * compare, so it is spelled as `@azure/identity` spells it.
 */

/** The provider code of an error that a sign-in of the user mends. */
const REQUIRED = "authentication_required";

const REQUIRED_MESSAGE = "The user has to sign in: call authenticate";

class AzcredError extends Error {
  constructor(message, { code = "INTERNAL", cause, attempts = [], ...details } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    for (const name of ["providerCode", "correlationId", "claims", "statusCode", "retryAfterInMs"]) {
      if (details[name] !== undefined) {
        this[name] = details[name];
      }
    }
    this.attempts = attempts.map(({ credential, kind, message }) => ({ credential, kind, message }));
  }
}

class CredentialUnavailableError extends AzcredError {}

class AuthenticationRequiredError extends AzcredError {
  constructor({ scopes, getTokenOptions, message = REQUIRED_MESSAGE, ...details }) {
    super(message, { code: "UNAVAILABLE", ...details });
    this.scopes = scopes;
    this.getTokenOptions = getTokenOptions;
  }
}

class AuthenticationError extends AzcredError {
  constructor(message, details) {
    super(message, details);
    this.errorResponse = {
      error: this.providerCode ?? "unknown",
      errorDescription: message,
      correlationId: this.correlationId,
    };
  }
}

class AggregateAuthenticationError extends AzcredError {
  constructor(errors, message, details) {
    super(message, details);
    this.errors = errors;
  }
}

class InvalidConfigurationError extends AzcredError {}
class InvalidArgumentError extends AzcredError {}
class AbortError extends AzcredError {}
class TimeoutError extends AzcredError {}
class AzcredInternalError extends AzcredError {}

const CredentialUnavailableErrorName = "CredentialUnavailableError";
const AuthenticationErrorName = "AuthenticationError";
const AggregateAuthenticationErrorName = "AggregateAuthenticationError";

const NAMES = new Map([
  [AzcredError, "AzcredError"],
  [CredentialUnavailableError, CredentialUnavailableErrorName],
  [AuthenticationRequiredError, "AuthenticationRequiredError"],
  [AuthenticationError, AuthenticationErrorName],
  [AggregateAuthenticationError, AggregateAuthenticationErrorName],
  [InvalidConfigurationError, "InvalidConfigurationError"],
  [InvalidArgumentError, "InvalidArgumentError"],
  [AbortError, "AbortError"],
  [TimeoutError, "TimeoutError"],
  [AzcredInternalError, "AzcredInternalError"],
]);

// Spelled out, since minifiers rename classes.
for (const [type, name] of NAMES) {
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
}

const CLASSES = {
  UNAVAILABLE: CredentialUnavailableError,
  FAILED: AuthenticationError,
  TRANSIENT: AuthenticationError,
  INVALID_CONFIGURATION: InvalidConfigurationError,
  INVALID_ARGUMENT: InvalidArgumentError,
  CANCELLED: AbortError,
  TIMED_OUT: TimeoutError,
  INTERNAL: AzcredInternalError,
};

/** The kinds that a chain reports as an aggregate. */
const REPORTED = new Set(["UNAVAILABLE", "FAILED", "TRANSIENT"]);

/**
 * The error for a failure that azcred gave as data; its stack begins at the caller of `above`. `request` is what was
 * asked for, if anything was.
 */
function errorOf(failure, above, request) {
  const { kind, message } = failure;
  const members = failure.attempts ?? [];
  const attempts = members.map(({ credential, error }) => ({ credential, kind: error.kind, message: error.message }));
  const details = { ...failure, code: kind, attempts };
  let error;
  if (members.length > 0 && REPORTED.has(kind)) {
    const errors = members.map((member) => errorOf(member.error, above, request));
    error = new AggregateAuthenticationError(errors, message, details);
  } else if (kind === "UNAVAILABLE" && failure.providerCode === REQUIRED) {
    const scopes = [request?.scopes ?? []].flat();
    error = new AuthenticationRequiredError({ ...details, message, scopes, getTokenOptions: request?.options });
  } else {
    error = new (CLASSES[kind] ?? AzcredError)(message, details);
  }
  Error.captureStackTrace(error, above);
  return error;
}

module.exports = {
  AbortError,
  AggregateAuthenticationError,
  AggregateAuthenticationErrorName,
  AuthenticationError,
  AuthenticationErrorName,
  AuthenticationRequiredError,
  AzcredError,
  AzcredInternalError,
  CredentialUnavailableError,
  CredentialUnavailableErrorName,
  InvalidArgumentError,
  InvalidConfigurationError,
  TimeoutError,
  errorOf,
};
