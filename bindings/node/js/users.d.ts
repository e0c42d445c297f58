/**
 * The credentials of users who sign in to Entra ID, and the records of their sign-ins.
 */

import { Credential, type GetTokenOptions } from "./credential.js";
import type {
  AuthorityOptions,
  BrokerAuthOptions,
  BrowserCustomizationOptions,
  MultiTenantOptions,
} from "./options.js";

/** Who signed in. It holds no secret: a program may keep it, and pin a later credential to the same account with it. */
export interface AuthenticationRecord {
  /** The authority's host. */
  authority: string;
  /** The account, the same in all tenants. */
  homeAccountId: string;
  /** The application that it signed in to. */
  clientId: string;
  /** The tenant that it signed in to. */
  tenantId: string;
  /** Its name, such as `user@contoso.com`. */
  username: string;
}

/** A record as JSON text. @throws {@link InvalidArgumentError} for what is no record. */
export declare function serializeAuthenticationRecord(record: AuthenticationRecord): string;

/** A record from its JSON text. @throws {@link InvalidArgumentError} for what is no record. */
export declare function deserializeAuthenticationRecord(serializedRecord: string): AuthenticationRecord;

/** Options of the credentials that ask a user. */
export interface InteractiveCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** The tenant to sign in to. Default: that of the user's organisation. */
  tenantId?: string;
  /** The application. Default: the one of developer tools. */
  clientId?: string;
  /** The account that has to sign in; another one is refused. */
  authenticationRecord?: AuthenticationRecord;
  /** How long the user may take, in seconds. Default: as long as the code is good; 300 with the browser. */
  timeout?: number;
  /** Whether only `authenticate` may ask the user: `getToken` rejects with an {@link AuthenticationRequiredError} then. */
  disableAutomaticAuthentication?: boolean;
}

/** What a user needs to know to sign in on another device. */
export interface DeviceCodeInfo {
  /** The code. */
  userCode: string;
  /** Where to enter it. */
  verificationUri: string;
  /** A sentence with both. */
  message: string;
}

/** Shows a code to the user. */
export type DeviceCodePromptCallback = (deviceCodeInfo: DeviceCodeInfo) => Promise<void> | void;

/** Options of {@link DeviceCodeCredential}. */
export interface DeviceCodeCredentialOptions extends InteractiveCredentialOptions {
  /** Shows the code. Default: a line on standard error. */
  userPromptCallback?: DeviceCodePromptCallback;
}

/** A user who signs in on another device, with a code that this program shows. */
export declare class DeviceCodeCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(options?: DeviceCodeCredentialOptions);
  /**
   * Has the user sign in, whatever is cached.
   *
   * @param scopes - What for; without it, the cloud's management.
   * @returns Who signed in.
   */
  authenticate(scopes?: string | string[], options?: GetTokenOptions): Promise<AuthenticationRecord>;
}

/** Options of {@link InteractiveBrowserCredential}. */
export interface InteractiveBrowserCredentialOptions
  extends InteractiveCredentialOptions,
    BrokerAuthOptions,
    BrowserCustomizationOptions {
  /** Where the browser brings the answer, on this machine. */
  redirectUri?: string | (() => string);
  /** The name that the page suggests. */
  loginHint?: string;
}

/** `@azure/identity`'s name for them. */
export type InteractiveBrowserCredentialNodeOptions = InteractiveBrowserCredentialOptions;

/** A user who signs in in the browser of this machine. */
export declare class InteractiveBrowserCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(options?: InteractiveBrowserCredentialOptions);
  /**
   * Has the user sign in, whatever is cached.
   *
   * @param scopes - What for; without it, the cloud's management.
   * @returns Who signed in.
   */
  authenticate(scopes?: string | string[], options?: GetTokenOptions): Promise<AuthenticationRecord>;
}

/** Options of {@link UsernamePasswordCredential}. */
export interface UsernamePasswordCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** The account that has to sign in; another one is refused. */
  authenticationRecord?: AuthenticationRecord;
}

/** A user by name and password. Works without a second factor only; prefer any other credential. */
export declare class UsernamePasswordCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(
    tenantId: string,
    clientId: string,
    username: string,
    password: string,
    options?: UsernamePasswordCredentialOptions,
  );
}

/** A credential of this file. */
export type UserCredential = DeviceCodeCredential | InteractiveBrowserCredential | UsernamePasswordCredential;
