"use strict";

/**
 * The classes of `@azure/identity`, over azcred's native cache.
 *
 * Every call asks the native side, which alone knows which token is good. What is remembered here is how a token was
 * converted, so that the same token is the same object, and the lease by which the next call asks.
 */

const native = require("./binding.js");
const { asked, told, within } = require("./callables.js");
const { errorOf, ...errors } = require("./errors.js");
const foreign = require("./foreign.js");
const records = require("./records.js");

/** Raised by whatever may put another token in the place of one, in this thread. */
let epoch = 0;

/** Whose calls were answered without the native side, which has yet to count them. */
const skipping = new Set();

/**
 * Whether the token of a lease is still the one to give. The native side says so, once in a millisecond: a call to it
 * costs more than all the rest of a cached call.
 */
function isFresh(last) {
  const now = Date.now();
  if (last.at === now && last.epoch === epoch) {
    if (last.skipped === 0) {
      skipping.add(last);
    }
    last.skipped += 1;
    return true;
  }
  count(last);
  if (!native.fresh(last.lease)) {
    return false;
  }
  last.at = now;
  last.epoch = epoch;
  return true;
}

function count(last) {
  if (last.skipped > 0) {
    native.count(last.lease, last.skipped);
    last.skipped = 0;
    skipping.delete(last);
  }
}

/** Where a credential is its own property: a Proxy of it has no private members, but this one. */
const SELF = Symbol("azcred.self");

/** How many conversions a credential remembers. */
const REMEMBERED = 64;

class Credential {
  #handle;
  /** The program's functions among its options, or a chain's members: native code holds none of them. */
  #held;
  /** Scopes, tenant and CAE flag → the last object, and the token it was made of. */
  #conversions = new Map();

  constructor({ handle, error }, held) {
    if (error) {
      throw errorOf(error, new.target);
    }
    this.#handle = handle;
    this.#held = held;
    Object.defineProperty(this, SELF, { value: this });
  }

  /** The conversion of the last call for one scope without wishes, as most programs only make such. */
  #last;

  // Not an async function: a live token comes in a promise that was made with it.
  getToken(scopes, options) {
    const last = #last in this ? this.#last : undefined;
    if (
      last !== undefined &&
      last.scope === (Array.isArray(scopes) && scopes.length === 1 ? scopes[0] : scopes) &&
      (options === undefined || isPlain(options)) &&
      isFresh(last)
    ) {
      return last.promise;
    }
    return Credential.ask(itself(this), scopes, options);
  }

  /** The whole way to a token. */
  static async ask(credential, scopes, options) {
    const signal = options?.abortSignal;
    if (isGiven(signal)) {
      check(signal, Credential.prototype.getToken);
    }
    const label = labelOf(scopes, options);
    const known = credential.#conversions.get(label);
    if (known?.lease !== undefined && native.fresh(known.lease)) {
      return known.token;
    }
    const found = native.cached(credential.#handle, scopes, options, known?.held);
    if (found === true) {
      return credential.#remember(label, scopes, options, known);
    }
    const answer = found === false ? await wait(native.start, credential.#handle, scopes, options, signal) : found;
    if (answer.error) {
      throw errorOf(answer.error, found === false ? Credential.ask : Credential.prototype.getToken, {
        scopes,
        options,
      });
    }
    return credential.#remember(label, scopes, options, answer);
  }

  reject(token) {
    const text = typeof token === "string" ? token : token?.token;
    if (typeof text !== "string") {
      const message = "reject: token: expected a token or its text";
      throw errorOf({ kind: "INVALID_ARGUMENT", message }, Credential.prototype.reject);
    }
    epoch += 1;
    return native.reject(itself(this).#handle, text);
  }

  statistics() {
    skipping.forEach(count);
    return native.statistics(itself(this).#handle);
  }

  /** Has the user of a credential sign in; the record of it. */
  static async signIn(credential, scopes, options) {
    const { authenticate } = User.prototype;
    const signal = options?.abortSignal;
    if (signal !== undefined && signal !== null) {
      check(signal, authenticate);
    }
    const answer = await wait(native.authenticate, credential.#handle, scopes ?? [], options, signal);
    const { record, error } = answer.error ? answer : native.signedIn(credential.#handle);
    if (error) {
      throw errorOf(error, authenticate, { scopes, options });
    }
    return record;
  }

  /** The object for a token: the one that was made of it before, if there is one. */
  #remember(label, scopes, options, { token, held }) {
    const known = this.#conversions.get(label);
    const same = known !== undefined && native.isSame(known.held, held);
    const object = same ? known.token : token;
    epoch += same ? 0 : 1;
    Object.freeze(object.provenance);
    Object.freeze(object);
    if (label !== undefined) {
      this.#conversions.delete(label);
      if (this.#conversions.size >= REMEMBERED) {
        const [oldest, { lease: unused }] = this.#conversions.entries().next().value;
        this.#conversions.delete(oldest);
        if (unused !== undefined) {
          this.#last = this.#last?.lease === unused ? undefined : this.#last;
          native.release(this.#handle, unused);
        }
      }
      const lease = native.lease(this.#handle, scopes, options, held, known?.lease) ?? undefined;
      if (lease === undefined && known?.lease !== undefined) {
        native.release(this.#handle, known.lease);
      }
      this.#conversions.set(label, { token: object, held, lease });
      const scope = Array.isArray(scopes) ? scopes[0] : scopes;
      if (this.#last?.lease === known?.lease) {
        this.#last = undefined;
      }
      if (lease !== undefined && scope === label) {
        this.#last = { scope, lease, promise: Promise.resolve(object), at: 0, epoch, skipped: 0 };
      }
    }
    return object;
  }

  /** The native handle of a credential that has no `getToken` of its own, or undefined for anything else. */
  static handleOf(value) {
    const isOurs = typeof value === "object" && value !== null && #handle in value;
    return isOurs && value.getToken === Credential.prototype.getToken ? value.#handle : undefined;
  }
}

/** The credential that a method was called on, be it through a Proxy. */
function itself(value) {
  return value[SELF];
}

/**
 * Under which name a conversion is remembered; undefined for what a lease can't answer: claims, a life asked for, and
 * whatever has no plain name. A name stands for one request.
 */
function labelOf(scopes, options) {
  const list = Array.isArray(scopes);
  const name = list ? (scopes.length === 1 ? scopes[0] : scopes.join(" ")) : scopes;
  if (typeof name !== "string" || (list && scopes.length !== 1 && !scopes.every(isScope))) {
    return undefined;
  }
  if (options === undefined || options === null) {
    return name;
  }
  const { tenantId, enableCae, claims, minTtl } = options;
  if (isGiven(claims) || isGiven(minTtl)) {
    return undefined;
  }
  const tenant = isGiven(tenantId) ? `\n${String(tenantId)}` : "";
  return enableCae === true ? `${name}${tenant}\ncae` : name + tenant;
}

/** A list is named by its parts, so that a part must not read as two. */
function isScope(scope) {
  return typeof scope === "string" && scope !== "" && !scope.includes(" ");
}

/** Whether these options wish nothing that decides which token is meant, and give no way to leave. */
function isPlain(options) {
  return (
    options !== null &&
    typeof options === "object" &&
    !isGiven(options.abortSignal) &&
    !isGiven(options.tenantId) &&
    !isGiven(options.claims) &&
    !isGiven(options.minTtl) &&
    options.enableCae !== true &&
    !isGiven(options.requestOptions)
  );
}

function isGiven(value) {
  return value !== undefined && value !== null;
}

/** Refuses what is no signal, and a call whose signal was aborted before it began. */
function check(signal, above) {
  if (typeof signal.addEventListener !== "function" || typeof signal.removeEventListener !== "function") {
    const message = "getToken: abortSignal: expected an AbortSignal";
    throw errorOf({ kind: "INVALID_ARGUMENT", message }, above);
  }
  if (signal.aborted) {
    throw errorOf(aborted(signal), above);
  }
}

function aborted(signal) {
  return { kind: "CANCELLED", message: "the caller aborted its wait for a token", cause: signal.reason };
}

/** What the native side answers to `ask`, or that the caller left. */
function wait(ask, handle, scopes, options, signal) {
  return new Promise((resolve) => {
    const cancel = signal ? native.canceller() : undefined;
    const settle = (answer) => {
      signal?.removeEventListener("abort", leave);
      resolve(answer);
    };
    const leave = () => {
      settle({ error: aborted(signal) });
      native.cancel(cancel);
    };
    // Never settles from inside this call.
    const error = ask(handle, scopes, options, cancel, settle);
    if (error) {
      resolve({ error });
    } else {
      signal?.addEventListener("abort", leave);
    }
  });
}

class DefaultAzureCredential extends Credential {
  constructor(options) {
    super(native.create("DefaultAzureCredential", {}, options));
  }
}

class ManagedIdentityCredential extends Credential {
  constructor(clientId, options) {
    const isOptions = typeof clientId === "object" && clientId !== null && options === undefined;
    super(native.create("ManagedIdentityCredential", isOptions ? {} : { clientId }, isOptions ? clientId : options));
  }
}

class ClientSecretCredential extends Credential {
  constructor(tenantId, clientId, clientSecret, options) {
    super(native.create("ClientSecretCredential", { tenantId, clientId, clientSecret }, options));
  }
}

class ClientCertificateCredential extends Credential {
  constructor(tenantId, clientId, certificatePathOrConfiguration, options) {
    const given = certificatePathOrConfiguration;
    const isPath = typeof given !== "object" || given === null;
    const { certificate, ...rest } = isPath ? { certificatePath: given } : given;
    const parts = { tenantId, clientId, certificateData: certificate, ...rest };
    super(native.create("ClientCertificateCredential", parts, options));
  }
}

class ClientAssertionCredential extends Credential {
  constructor(tenantId, clientId, getAssertion, options) {
    const parts = { tenantId, clientId, getAssertion: asked(getAssertion) };
    super(native.create("ClientAssertionCredential", parts, options), getAssertion);
  }
}

class WorkloadIdentityCredential extends Credential {
  constructor(options) {
    super(native.create("WorkloadIdentityCredential", {}, options));
  }
}

class AzurePipelinesCredential extends Credential {
  constructor(tenantId, clientId, serviceConnectionId, systemAccessToken, options) {
    const parts = { tenantId, clientId, serviceConnectionId, systemAccessToken };
    super(native.create("AzurePipelinesCredential", parts, options));
  }
}

class OnBehalfOfCredential extends Credential {
  constructor(options) {
    super(native.create("OnBehalfOfCredential", {}, within(options, "getAssertion", asked)), options?.getAssertion);
  }
}

class AuthorizationCodeCredential extends Credential {
  constructor(tenantId, clientId, ...rest) {
    // With a secret, the third text from here on is the redirect URI; without, options or nothing are there.
    const secret = typeof rest[2] === "string" ? { clientSecret: rest.shift() } : {};
    const [authorizationCode, redirectUri, options] = rest;
    const parts = { tenantId, clientId, ...secret, authorizationCode, redirectUri };
    super(native.create("AuthorizationCodeCredential", parts, options));
  }
}

class UsernamePasswordCredential extends Credential {
  constructor(tenantId, clientId, username, password, options) {
    const given = within(options, "authenticationRecord", records.written);
    super(native.create("UsernamePasswordCredential", { tenantId, clientId, username, password }, given));
  }
}

/** What the credentials have in common that somebody signs in to. */
class User extends Credential {
  authenticate(scopes, options) {
    return Credential.signIn(itself(this), scopes, options);
  }
}

class DeviceCodeCredential extends User {
  constructor(options) {
    const given = within(within(options, "authenticationRecord", records.written), "userPromptCallback", told);
    super(native.create("DeviceCodeCredential", {}, given), options?.userPromptCallback);
  }
}

class InteractiveBrowserCredential extends User {
  constructor(options) {
    const given = within(options, "authenticationRecord", records.written);
    const address = (redirectUri) => (typeof redirectUri === "function" ? redirectUri() : redirectUri);
    super(native.create("InteractiveBrowserCredential", {}, within(given, "redirectUri", address)));
  }
}

class EnvironmentCredential extends Credential {
  constructor(options) {
    super(native.create("EnvironmentCredential", {}, options));
  }
}

class HostCredential extends Credential {
  constructor(options) {
    super(native.create("HostCredential", {}, options));
  }
}

class AzureCliCredential extends Credential {
  constructor(options) {
    super(native.create("AzureCliCredential", {}, options));
  }
}

class AzurePowerShellCredential extends Credential {
  constructor(options) {
    super(native.create("AzurePowerShellCredential", {}, options));
  }
}

class AzureDeveloperCliCredential extends Credential {
  constructor(options) {
    super(native.create("AzureDeveloperCliCredential", {}, options));
  }
}

class VisualStudioCodeCredential extends Credential {
  constructor(options) {
    super(native.create("VisualStudioCodeCredential", {}, options));
  }
}

class ChainedTokenCredential extends Credential {
  constructor(...sources) {
    const handles = sources.map((source) => Credential.handleOf(source) ?? foreign.handleOf(source));
    const stranger = handles.indexOf(undefined);
    super(stranger < 0 ? native.chain(handles) : { error: noCredential(stranger + 1, sources[stranger]) }, sources);
  }
}

function noCredential(position, source) {
  const got =
    typeof source === "object" && source !== null ? "another object" : String(source === null ? null : typeof source);
  return {
    kind: "INVALID_CONFIGURATION",
    message: `ChainedTokenCredential: argument ${position}: expected a credential, which has getToken, got ${got}`,
  };
}

function getDefaultAzureCredential() {
  return new DefaultAzureCredential();
}

/** Asks `credential`, which need not be of this package, at each call: its cache is the cache. */
function getBearerTokenProvider(credential, scopes, options) {
  const refused = (code, sentence, above) =>
    errorOf({ kind: code, message: `getBearerTokenProvider: ${sentence}` }, above);
  if (typeof credential?.getToken !== "function") {
    throw refused("INVALID_ARGUMENT", "expected a credential with getToken", getBearerTokenProvider);
  }
  if (scopes === undefined || scopes === null || scopes.length === 0) {
    throw refused("INVALID_ARGUMENT", "expected at least one scope, got none", getBearerTokenProvider);
  }
  const { abortSignal, tracingOptions } = options ?? {};
  return async function provide() {
    const token = await credential.getToken(scopes, { abortSignal, tracingOptions });
    if (!token) {
      throw refused("UNAVAILABLE", "the credential gave no token", provide);
    }
    return token.token;
  };
}

const AzureAuthorityHosts = Object.freeze({
  AzureChina: "https://login.chinacloudapi.cn",
  AzureGermany: "https://login.microsoftonline.de",
  AzureGovernment: "https://login.microsoftonline.us",
  AzurePublicCloud: "https://login.microsoftonline.com",
});

module.exports = {
  ...errors,
  AuthorizationCodeCredential,
  AzureAuthorityHosts,
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePipelinesCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  DeviceCodeCredential,
  EnvironmentCredential,
  HostCredential,
  InteractiveBrowserCredential,
  ManagedIdentityCredential,
  VisualStudioCodeCredential,
  getBearerTokenProvider,
  getDefaultAzureCredential,
  OnBehalfOfCredential,
  UsernamePasswordCredential,
  WorkloadIdentityCredential,
  deserializeAuthenticationRecord: records.deserializeAuthenticationRecord,
  serializeAuthenticationRecord: records.serializeAuthenticationRecord,
};
