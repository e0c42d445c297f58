/**
 * Credentials for Microsoft Entra ID, with the names of `@azure/identity`.
 *
 * Each is a `TokenCredential` of `@azure/core-auth`, so clients of the Azure SDK take it as it is.
 *
 * @packageDocumentation
 */

import type { ApplicationCredential } from "./applications.js";
import { type AbortSignalLike, Credential, type GetTokenOptions } from "./credential.js";
import type { AuthorityOptions, MultiTenantOptions, TokenCredentialOptions } from "./options.js";
import type { UserCredential } from "./users.js";

export * from "./applications.js";
export type {
  AbortSignalLike,
  AccessToken,
  GetTokenOptions,
  Provenance,
  Statistics,
  TokenCredential,
} from "./credential.js";
export * from "./options.js";
export * from "./users.js";

/** Options of {@link DefaultAzureCredential}. */
export interface DefaultAzureCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** The tenant that developer tools sign in to. */
  tenantId?: string;
  /** How long a developer tool may run, in milliseconds. Default 10,000. */
  processTimeoutInMs?: number;
  /** The managed identity's client id. Default `AZURE_CLIENT_ID`; empty means the system-assigned one. */
  managedIdentityClientId?: string;
  /** The managed identity by its Azure resource id. */
  managedIdentityResourceId?: string;
  /** The managed identity by its object id. */
  managedIdentityObjectId?: string;
  /** The workload identity's client id. Default: the managed identity's. */
  workloadIdentityClientId?: string;
  /** The workload identity's tenant. Default: `AZURE_TENANT_ID`. */
  workloadIdentityTenantId?: string;
  /** The application of a sign-in with the browser. Default: that of developers' tools. */
  interactiveBrowserClientId?: string;
  /** The tenant of a sign-in with the browser. Default: `AZURE_TENANT_ID`. */
  interactiveBrowserTenantId?: string;
  /** Refuses to build the chain unless `AZURE_TOKEN_CREDENTIALS` is set. */
  requireEnvvar?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeEnvironmentCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeWorkloadIdentityCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeManagedIdentityCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeSharedTokenCacheCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeVisualStudioCodeCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeCliCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludePowershellCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeDeveloperCliCredential?: boolean;
  /** Leaves a member out of the chain, or keeps it in whatever `AZURE_TOKEN_CREDENTIALS` says. */
  excludeBrokerCredential?: boolean;
  /** `false` brings the sign-in with the browser into the chain, as its last member. */
  excludeInteractiveBrowserCredential?: boolean;
}

/** `@azure/identity`'s name for options with a client id. */
export type DefaultAzureCredentialClientIdOptions = DefaultAzureCredentialOptions;

/** `@azure/identity`'s name for options with a resource id. */
export type DefaultAzureCredentialResourceIdOptions = DefaultAzureCredentialOptions & {
  managedIdentityResourceId: string;
};

/**
 * Asks the environment, the managed identity and the developer tools, in this order, and stays with the first that answers.
 *
 * Members of azure-identity's chain that give no tokens here are asked too, so that the report says what to use instead.
 */
export declare class DefaultAzureCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option or variable that is wrong. */
  constructor(options?: DefaultAzureCredentialOptions);
}

/** Options of {@link ManagedIdentityCredential}: at most one of the ids. In a pod it asks an authority, elsewhere none. */
export interface ManagedIdentityCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** A user-assigned identity by its client id. */
  clientId?: string;
  /** A user-assigned identity by its object (principal) id. */
  objectId?: string;
  /** A user-assigned identity by its Azure resource id. */
  resourceId?: string;
}

/** `@azure/identity`'s name for options with a client id. */
export type ManagedIdentityCredentialClientIdOptions = TokenCredentialOptions & { clientId?: string };

/** `@azure/identity`'s name for options with a resource id. */
export type ManagedIdentityCredentialResourceIdOptions = TokenCredentialOptions & { resourceId: string };

/** `@azure/identity`'s name for options with an object id. */
export type ManagedIdentityCredentialObjectIdOptions = TokenCredentialOptions & { objectId: string };

/**
 * The identity that Azure gave to this host: IMDS, App Service, Functions, Container Apps, Service Fabric, Azure Machine
 * Learning, Cloud Shell, Azure Arc, or a pod's federated token.
 */
export declare class ManagedIdentityCredential extends Credential {
  /**
   * @param clientId - A user-assigned identity; without it, the system-assigned one.
   * @throws {@link InvalidConfigurationError} for an option or variable that is wrong.
   */
  constructor(clientId?: string, options?: ManagedIdentityCredentialOptions);
  /** @throws {@link InvalidConfigurationError} for an option or variable that is wrong. */
  constructor(options?: ManagedIdentityCredentialOptions);
}

/** Options of {@link ClientSecretCredential}. */
export interface ClientSecretCredentialOptions extends AuthorityOptions, MultiTenantOptions {}

/** An application, by its secret. */
export declare class ClientSecretCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(tenantId: string, clientId: string, clientSecret: string, options?: ClientSecretCredentialOptions);
}

/** Options of {@link EnvironmentCredential}. */
export interface EnvironmentCredentialOptions extends AuthorityOptions, MultiTenantOptions {}

/**
 * Whom the environment names when it is made: with `AZURE_CLIENT_ID`, an application by `AZURE_TENANT_ID` and
 * `AZURE_CLIENT_SECRET`, or by `AZURE_TENANT_ID` and the certificate of `AZURE_CLIENT_CERTIFICATE_PATH` (its key's password:
 * `AZURE_CLIENT_CERTIFICATE_PASSWORD`; `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN`), else a user by `AZURE_USERNAME` and
 * `AZURE_PASSWORD`. The first that is complete.
 */
export declare class EnvironmentCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option or variable that is wrong. */
  constructor(options?: EnvironmentCredentialOptions);
}

/** Options of {@link HostCredential}. */
export interface HostCredentialOptions {
  /** The name of one of the host's identities. Default: the one that its configuration has for the resource asked for. */
  identity?: string;
}

/**
 * The identity that the host's configuration has for a name, or for the resource that a token is for: one file for every
 * language, `$AZCRED_CONFIG`, else `$XDG_CONFIG_HOME/azcred/config.toml`, else `/etc/azcred/config.toml`. An edit counts
 * within a second.
 */
export declare class HostCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option that is wrong. */
  constructor(options?: HostCredentialOptions);
}

/** Options of {@link AzureCliCredential}. */
export interface AzureCliCredentialOptions extends TokenCredentialOptions, MultiTenantOptions {
  /** The tenant to ask for. Default: the login's own. */
  tenantId?: string;
  /** The subscription whose login is used, by name or id. */
  subscription?: string;
  /** How long `az` may run, in milliseconds. Default 10,000. */
  processTimeoutInMs?: number;
}

/** Whoever signed in with `az login`. */
export declare class AzureCliCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option that is wrong. */
  constructor(options?: AzureCliCredentialOptions);
}

/** Options of {@link AzurePowerShellCredential}. */
export interface AzurePowerShellCredentialOptions extends TokenCredentialOptions, MultiTenantOptions {
  /** The tenant to ask for. Default: the login's own. */
  tenantId?: string;
  /** How long PowerShell may run, in milliseconds. Default 10,000. */
  processTimeoutInMs?: number;
}

/** Whoever signed in with `Connect-AzAccount`. */
export declare class AzurePowerShellCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option that is wrong. */
  constructor(options?: AzurePowerShellCredentialOptions);
}

/** Options of {@link AzureDeveloperCliCredential}. */
export interface AzureDeveloperCliCredentialOptions extends TokenCredentialOptions, MultiTenantOptions {
  /** The tenant to ask for. Default: the login's own. */
  tenantId?: string;
  /** How long `azd` may run, in milliseconds. Default 10,000. */
  processTimeoutInMs?: number;
}

/** Whoever signed in with `azd auth login`. */
export declare class AzureDeveloperCliCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option that is wrong. */
  constructor(options?: AzureDeveloperCliCredentialOptions);
}

/** Options of {@link VisualStudioCodeCredential}; checked, and of no further use. */
export interface VisualStudioCodeCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** The tenant to ask for. */
  tenantId?: string;
}

/** Whoever signed in to Visual Studio Code. Always unavailable: azcred does not ask the operating system's broker. */
export declare class VisualStudioCodeCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an option that is wrong. */
  constructor(options?: VisualStudioCodeCredentialOptions);
}

/** A credential of this package. */
export type AzcredCredential =
  | ApplicationCredential
  | AzureCliCredential
  | AzureDeveloperCliCredential
  | AzurePowerShellCredential
  | ChainedTokenCredential
  | ClientSecretCredential
  | DefaultAzureCredential
  | EnvironmentCredential
  | HostCredential
  | ManagedIdentityCredential
  | UserCredential
  | VisualStudioCodeCredential;

/** Any credential that a chain takes: this package's, or another `TokenCredential` of `@azure/core-auth`. */
export interface ChainMember {
  /**
   * A token, or null where there is none: the chain goes on then, and after an error whose `name` is
   * `CredentialUnavailableError` or `AuthenticationRequiredError`.
   */
  getToken(
    scopes: string | string[],
    options?: GetTokenOptions,
  ): Promise<{ token: string; expiresOnTimestamp: number; refreshAfterTimestamp?: number } | null>;
}

/**
 * Asks its members in their order, each time, until one is available.
 *
 * Of another package's credential it gives the token and its times, under the name of its class; `abortSignal` is not
 * passed on, since others may wait for the same token.
 */
export declare class ChainedTokenCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} without members, or for one without `getToken`. */
  constructor(...sources: ChainMember[]);
}

/** A {@link DefaultAzureCredential} without options. */
export declare function getDefaultAzureCredential(): DefaultAzureCredential;

/** Options of {@link getBearerTokenProvider}, given to each `getToken`. */
export interface GetBearerTokenProviderOptions {
  /** Ends the waits of this provider's callers. */
  abortSignal?: AbortSignalLike;
  /** For credentials of other packages. */
  tracingOptions?: object;
}

/**
 * A function that gives the text of a live token, for clients that want one instead of a credential. It asks the
 * credential at each call.
 *
 * @param credential - A credential of this package, or any other `TokenCredential`.
 * @param scopes - What the token is for.
 * @throws {@link InvalidArgumentError} for what is no credential, and without scopes.
 */
export declare function getBearerTokenProvider(
  credential: BearerTokenSource,
  scopes: string | string[],
  options?: GetBearerTokenProviderOptions,
): () => Promise<string>;

/** What {@link getBearerTokenProvider} asks: any `TokenCredential` of `@azure/core-auth`. */
export interface BearerTokenSource {
  /** A token, or null where there is none. */
  getToken(
    scopes: string | string[],
    options?: { abortSignal?: AbortSignalLike; tracingOptions?: object },
  ): Promise<{ readonly token: string } | null>;
}

/** The authorities of Azure's clouds. */
export declare const AzureAuthorityHosts: {
  /** Azure in China. */
  readonly AzureChina: "https://login.chinacloudapi.cn";
  /** Azure in Germany; closed. */
  readonly AzureGermany: "https://login.microsoftonline.de";
  /** Azure for the government of the United States. */
  readonly AzureGovernment: "https://login.microsoftonline.us";
  /** Azure. */
  readonly AzurePublicCloud: "https://login.microsoftonline.com";
};

/** What a caller should do about an error. */
export type AzcredErrorCode =
  /** The credential could not try here; a chain goes on. */
  | "UNAVAILABLE"
  /** It tried and was refused; this will not mend by itself. */
  | "FAILED"
  /** It tried and got no usable answer, after the retries allowed; try again later. */
  | "TRANSIENT"
  /** An option or variable is wrong. */
  | "INVALID_CONFIGURATION"
  /** The call is wrong. */
  | "INVALID_ARGUMENT"
  /** The caller left. */
  | "CANCELLED"
  /** The caller's time was up. */
  | "TIMED_OUT"
  /** A bug in azcred was contained; please report it. */
  | "INTERNAL";

/** What one member of a chain answered. */
export interface Attempt {
  /** The member's class name. */
  readonly credential: string;
  /** The kind of its answer. */
  readonly kind: AzcredErrorCode;
  /** Its sentence. */
  readonly message: string;
}

/** What an error knows beside its message. */
export interface AzcredErrorDetails {
  code?: AzcredErrorCode;
  providerCode?: string;
  correlationId?: string;
  claims?: string;
  statusCode?: number;
  retryAfterInMs?: number;
  attempts?: readonly Attempt[];
  cause?: unknown;
}

/** What all errors of this package are. Messages are safe to log. */
export declare class AzcredError extends Error {
  constructor(message: string, details?: AzcredErrorDetails);
  /** What to do about it. */
  readonly code: AzcredErrorCode;
  /** The provider's error code, such as `invalid_client`. */
  readonly providerCode?: string;
  /** The id under which the provider logged the request. */
  readonly correlationId?: string;
  /** The claims that a new sign-in must meet, a JSON object: for `authenticate`, or for an API's caller. */
  readonly claims?: string;
  /** The status of the HTTP answer behind it. */
  readonly statusCode?: number;
  /** How long the provider asked to wait, in milliseconds. */
  readonly retryAfterInMs?: number;
  /** What each member of a chain answered, first to last; empty outside chains. */
  readonly attempts: readonly Attempt[];
}

/** A credential could not try here: code `UNAVAILABLE`. */
export declare class CredentialUnavailableError extends AzcredError {}

/** What an {@link AuthenticationRequiredError} is made of. */
export interface AuthenticationRequiredErrorOptions {
  /** What was asked for. */
  scopes: string[];
  /** What the call wished. */
  getTokenOptions?: GetTokenOptions;
  /** The sentence. */
  message?: string;
  /** What led to it. */
  cause?: unknown;
}

/** The user has to sign in, and the credential may not ask: code `UNAVAILABLE`. Call `authenticate`. */
export declare class AuthenticationRequiredError extends AzcredError {
  constructor(options: AuthenticationRequiredErrorOptions & AzcredErrorDetails);
  /** What was asked for. */
  scopes: string[];
  /** What the call wished. */
  getTokenOptions?: GetTokenOptions;
}

/** A provider's answer, as `@azure/identity` reports it. */
export interface ErrorResponse {
  /** The provider's error code, or `unknown`. */
  readonly error: string;
  /** The whole sentence. */
  readonly errorDescription: string;
  /** The id under which the provider logged the request. */
  readonly correlationId?: string;
}

/** A credential tried in vain: code `FAILED` or `TRANSIENT`. */
export declare class AuthenticationError extends AzcredError {
  /** The answer as `@azure/identity` reports it. */
  readonly errorResponse: ErrorResponse;
}

/** A chain got no token: code `UNAVAILABLE`, `FAILED` or `TRANSIENT`, as its last member answered. */
export declare class AggregateAuthenticationError extends AzcredError {
  constructor(errors: AzcredError[], message: string, details?: AzcredErrorDetails);
  /** What each member answered, first to last. */
  readonly errors: AzcredError[];
}

/** An option or variable is wrong: code `INVALID_CONFIGURATION`. */
export declare class InvalidConfigurationError extends AzcredError {}

/** A call is wrong: code `INVALID_ARGUMENT`. */
export declare class InvalidArgumentError extends AzcredError {}

/** The caller left: code `CANCELLED`. `cause` is the signal's reason. */
export declare class AbortError extends AzcredError {}

/** The caller's time was up: code `TIMED_OUT`. */
export declare class TimeoutError extends AzcredError {}

/** A bug in azcred was contained: code `INTERNAL`. */
export declare class AzcredInternalError extends AzcredError {}

/** The `name` of {@link CredentialUnavailableError}. */
export declare const CredentialUnavailableErrorName: "CredentialUnavailableError";
/** The `name` of {@link AuthenticationError}. */
export declare const AuthenticationErrorName: "AuthenticationError";
/** The `name` of {@link AggregateAuthenticationError}. */
export declare const AggregateAuthenticationErrorName: "AggregateAuthenticationError";
