/**
 * What is asked of a credential, and what comes back.
 *
 * @packageDocumentation
 */

/** A token, and where it came from. Frozen: all callers who get the same token share one object. */
export interface AccessToken {
  /** The token's text. A secret. */
  readonly token: string;
  /** When it dies, in milliseconds since 1970. */
  readonly expiresOnTimestamp: number;
  /** From when on asking again is worthwhile, in milliseconds since 1970. */
  readonly refreshAfterTimestamp: number;
  /** The scheme of its `Authorization` header. */
  readonly tokenType: "Bearer";
  /** Where it came from. */
  readonly provenance: Provenance;
}

/** Where a token came from. */
export interface Provenance {
  /** The class name of the credential that fetched it; in a chain, the member. */
  readonly credential: string;
  /** What that credential asked: `imds`, `app_service`, `service_fabric`, `azure_arc`, `azure_ml`, `cloud_shell`,
   * `entra`, `azure_cli`, `azure_powershell`, `azure_developer_cli`. */
  readonly source: string;
  /** The tenant asked for, where the source takes one. */
  readonly tenantId?: string;
  /** The client id of the identity, where it is known. */
  readonly clientId?: string;
  /** Which cache had the token when this object was made: `process`, or `source` if none did. */
  readonly cacheLevel: string;
}

/** `AbortSignal`, or anything that works like it. */
export interface AbortSignalLike {
  /** Whether it was aborted. */
  readonly aborted: boolean;
  /** Adds a listener. */
  addEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void, options?: unknown): void;
  /** Removes a listener. */
  removeEventListener(
    type: "abort",
    listener: (this: AbortSignalLike, event: unknown) => void,
    options?: unknown,
  ): void;
}

/** What a call may wish. */
export interface GetTokenOptions {
  /** Lets this caller leave early, with an `AbortError`. The fetch goes on for others. */
  abortSignal?: AbortSignalLike;
  /** Limits of this call. */
  requestOptions?: {
    /** How long to wait at most, in milliseconds; 0 sets no limit. */
    timeout?: number;
  };
  /** Another tenant than the credential's own; it must be among `additionallyAllowedTenants`. */
  tenantId?: string;
  /** The decoded JSON of a claims challenge: the token that a resource refused is replaced. */
  claims?: string;
  /** Whether the caller handles claims challenges (continuous access evaluation). */
  enableCae?: boolean;
  /** How long the token must still live, in seconds. */
  minTtl?: number;
  /** Accepted and not used. */
  tracingOptions?: object;
}

/** What all credentials can do: `TokenCredential` of `@azure/core-auth`. */
export interface TokenCredential {
  /**
   * A token that lives. Comes from the cache where it can; callers who ask at once cause one request.
   *
   * @param scopes - What it is for, such as `https://storage.azure.com/.default`.
   * @param options - What this call wishes.
   * @returns The token; never `null`. It rejects with an `AzcredError`.
   */
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken>;
}

/**
 * What happened so far for a credential's identity in this process, by all credentials that share it, in whatever thread.
 * `hits + misses` are the calls that were asked at all.
 */
export interface Statistics {
  /** Calls that took a live token out of the cache. */
  hits: number;
  /** Calls that found no token they could take. */
  misses: number;
  /** Of the misses, those that waited for a flight which another call had started. */
  waiters: number;
  /** Times that the source was asked, for a caller who waited or to renew ahead of time. */
  flights: number;
  /** HTTP requests that were sent and programs that were run by these flights, retries and probes included. */
  upstreamRequests: number;
  /** Flights that brought no token. */
  failures: number;
}

/** What all credentials of this package can do. It is a type alone: make one of the classes that extend it. */
export declare abstract class Credential implements TokenCredential {
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken>;
  /**
   * Tells that a resource refused this token though it looks alive (HTTP 401): the next call asks for another one.
   *
   * @param token - What `getToken` gave, or its text.
   * @returns Whether another one will be asked for: not for a token that is not the newest, nor twice for the same one, nor
   * sooner than 30 s after the one before.
   */
  reject(token: string | { token: string }): boolean;
  /** What happened so far for this credential's identity. */
  statistics(): Statistics;
}
