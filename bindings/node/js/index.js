"use strict";

/**
 * The classes of `@azure/identity`, over azcred's native cache.
 *
 * Every call asks the native side, which alone knows which token is good. What is remembered here is how a token was
 * converted, so that the same token is the same object.
 */

const native = require("./binding.js");
const { errorOf, ...errors } = require("./errors.js");

/** How many conversions a credential remembers. */
const REMEMBERED = 64;

class Credential {
  #handle;
  /** Scopes, tenant and CAE flag → the last object, and the token it was made of. */
  #conversions = new Map();

  constructor({ handle, error }) {
    if (error) {
      throw errorOf(error, new.target);
    }
    this.#handle = handle;
  }

  async getToken(scopes, options) {
    const signal = options?.abortSignal;
    if (signal !== undefined && signal !== null) {
      check(signal);
    }
    const label = labelOf(scopes, options);
    const known = this.#conversions.get(label);
    const found = native.cached(this.#handle, scopes, options, known?.held);
    if (found === true) {
      return known.token;
    }
    const answer = found === false ? await wait(this.#handle, scopes, options, signal) : found;
    if (answer.error) {
      throw errorOf(answer.error, Credential.prototype.getToken);
    }
    return this.#remember(label, answer);
  }

  /** The object for a token: the one that was made of it before, if there is one. */
  #remember(label, { token, held }) {
    const known = this.#conversions.get(label);
    if (known && native.isSame(known.held, held)) {
      return known.token;
    }
    Object.freeze(token.provenance);
    Object.freeze(token);
    if (label !== undefined) {
      this.#conversions.delete(label);
      if (this.#conversions.size >= REMEMBERED) {
        this.#conversions.delete(this.#conversions.keys().next().value);
      }
      this.#conversions.set(label, { token, held });
    }
    return token;
  }

  /** The native handle of a credential, or undefined for anything else. */
  static handleOf(value) {
    return typeof value === "object" && value !== null && #handle in value ? value.#handle : undefined;
  }
}

/**
 * Under which name a conversion is remembered; undefined for what has no plain name. The native side compares tokens,
 * so two requests with one name cost time and nothing else.
 */
function labelOf(scopes, options) {
  const list = Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string");
  const name = list ? scopes.join(" ") : scopes;
  if (typeof name !== "string") {
    return undefined;
  }
  const tenant = typeof options?.tenantId === "string" ? `\n${options.tenantId}` : "";
  return options?.enableCae === true ? `${name}${tenant}\ncae` : name + tenant;
}

/** Refuses what is no signal, and a call whose signal was aborted before it began. */
function check(signal) {
  if (typeof signal.addEventListener !== "function" || typeof signal.removeEventListener !== "function") {
    const message = "getToken: abortSignal: expected an AbortSignal";
    throw errorOf({ kind: "INVALID_ARGUMENT", message }, Credential.prototype.getToken);
  }
  if (signal.aborted) {
    throw errorOf(aborted(signal), Credential.prototype.getToken);
  }
}

function aborted(signal) {
  return { kind: "CANCELLED", message: "the caller aborted its wait for a token", cause: signal.reason };
}

/** What the native side answers, or that the caller left. */
function wait(handle, scopes, options, signal) {
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
    const error = native.start(handle, scopes, options, cancel, settle);
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

class EnvironmentCredential extends Credential {
  constructor(options) {
    super(native.create("EnvironmentCredential", {}, options));
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
    const handles = sources.map(Credential.handleOf);
    const stranger = handles.indexOf(undefined);
    super(stranger < 0 ? native.chain(handles) : { error: notOurs(stranger + 1, sources[stranger]) });
  }
}

function notOurs(position, source) {
  const got =
    typeof source === "object" && source !== null ? "another object" : String(source === null ? null : typeof source);
  return {
    kind: "INVALID_CONFIGURATION",
    message: `ChainedTokenCredential: argument ${position}: expected a credential of azcred, got ${got}`,
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
  AzureAuthorityHosts,
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  EnvironmentCredential,
  ManagedIdentityCredential,
  VisualStudioCodeCredential,
  getBearerTokenProvider,
  getDefaultAzureCredential,
};
