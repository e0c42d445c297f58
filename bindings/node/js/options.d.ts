/**
 * Options that several credentials have.
 */

/** Which file a token cache is written to; azcred writes none. */
export interface TokenCachePersistenceOptions {
  /** Whether tokens are written to disk. */
  enabled: boolean;
  /** The name of the cache. */
  name?: string;
  /** Whether they may be written in the clear. */
  unsafeAllowUnencryptedStorage?: boolean;
}

/** Where tokens are kept. */
export interface CredentialPersistenceOptions {
  /** Accepted and not used: tokens are never written to disk. */
  tokenCachePersistenceOptions?: TokenCachePersistenceOptions;
}

/** Options of `@azure/identity` that are accepted and not used, so that a program can move over as it is. */
export interface UnusedOptions extends CredentialPersistenceOptions {
  /** Each source has the retry rules its documentation asks for; `maxRetries` lowers those of an authority. */
  retryOptions?: object;
  /** Messages never hold a secret. */
  loggingOptions?: object;
  /** Requests name azcred and its version. */
  userAgentOptions?: object;
  /** Requests name azcred and its version. */
  telemetryOptions?: object;
}

/** A proxy, as `@azure/core-rest-pipeline` describes it. */
export interface ProxyOptions {
  /** Its URL. */
  host: string;
  /** Its port. */
  port: number;
  /** Who asks it. */
  username?: string;
  /** With which password. */
  password?: string;
}

/** What every credential takes. Those that ask no authority have no use for `authorityHost` and `proxyOptions`. */
export interface TokenCredentialOptions extends UnusedOptions {
  /** The authority's host. Default: `AZURE_AUTHORITY_HOST`, else {@link AzureAuthorityHosts}`.AzurePublicCloud`. */
  authorityHost?: string;
  /** The proxy towards the authority. Default: those of the environment. */
  proxyOptions?: ProxyOptions;
  /** The tenant whose tokens alone will do, by its id. */
  expectedTenantId?: string;
  /** The identity whose tokens alone will do, by its object (principal) id. */
  expectedObjectId?: string;
}

/** Whether an authority is looked up. */
export interface AuthorityValidationOptions {
  /**
   * Skips the question to the public cloud whether it knows the authority. It is asked once about a host that is neither
   * Microsoft's nor this machine.
   */
  disableInstanceDiscovery?: boolean;
}

/** Which authority is asked, and by which way. */
export interface AuthorityOptions extends TokenCredentialOptions, AuthorityValidationOptions {
  /** A file of PEM certificates, or a folder of such, to trust in place of all others. Read at the first request. */
  connectionVerify?: string | true;
  /** How long a connection may take, in seconds. Default 10. */
  connectionTimeout?: number;
  /** How long the authority may be silent, in seconds. Default 20 for the whole answer. */
  readTimeout?: number;
}

/** Which tenants a call may name. */
export interface MultiTenantOptions {
  /** Other tenants than the credential's own; `*` for all. */
  additionallyAllowedTenants?: string[];
}

/** `@azure/identity`'s name for both. */
export interface MultiTenantTokenCredentialOptions extends TokenCredentialOptions, MultiTenantOptions {}

/** How a sign-in page looks. */
export interface BrowserCustomizationOptions {
  /** Accepted and not used: the page that ends a sign-in is azcred's own. */
  browserCustomizationOptions?: {
    /** What it says of a failure. */
    errorMessage?: string;
    /** What it says of a success. */
    successMessage?: string;
  };
}

/** The operating system's broker is to be asked. */
export interface BrokerEnabledOptions {
  enabled: true;
  /** Whether personal accounts are passed through. */
  legacyEnableMsaPassthrough?: boolean;
  /** The window that asks. */
  parentWindowHandle: Uint8Array;
  /** Whether the account of the operating system is taken. */
  useDefaultBrokerAccount?: boolean;
}

/** It is not to be asked. */
export interface BrokerDisabledOptions {
  enabled: false;
  legacyEnableMsaPassthrough?: undefined;
  parentWindowHandle: undefined;
}

/** Whether the operating system's broker is asked. */
export type BrokerOptions = BrokerEnabledOptions | BrokerDisabledOptions;

/** Who signs the user in. */
export interface BrokerAuthOptions {
  /** Accepted and not used: the browser signs the user in. */
  brokerOptions?: BrokerOptions;
}
