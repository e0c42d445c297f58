/**
 * The credentials of applications that sign in to Entra ID, beside the one with a secret.
 */

import { Credential } from "./credential.js";
import type { AuthorityOptions, MultiTenantOptions } from "./options.js";

/** A certificate with its key. */
export interface ClientCertificatePEMCertificate {
  /** The text of a PEM file, or the content of a PEM or PKCS#12 file. */
  certificate: string | Uint8Array;
  /** The password of the key. */
  certificatePassword?: string;
}

/** Where a certificate with its key is. */
export interface ClientCertificatePEMCertificatePath {
  /** The path of a PEM or PKCS#12 file. */
  certificatePath: string;
  /** The password of the key. */
  certificatePassword?: string;
}

/** A certificate with its key, or where they are. */
export type ClientCertificateCredentialPEMConfiguration =
  | ClientCertificatePEMCertificate
  | ClientCertificatePEMCertificatePath;

/** Options of {@link ClientCertificateCredential}. */
export interface ClientCertificateCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** Sends the certificate with each assertion, for applications that trust a subject name and its authority. */
  sendCertificateChain?: boolean;
}

/** An application, by its certificate. */
export declare class ClientCertificateCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(
    tenantId: string,
    clientId: string,
    certificatePathOrConfiguration: string | ClientCertificateCredentialPEMConfiguration,
    options?: ClientCertificateCredentialOptions,
  );
}

/** Options of {@link ClientAssertionCredential}. */
export interface ClientAssertionCredentialOptions extends AuthorityOptions, MultiTenantOptions {}

/** An application, by an assertion (a JWT) that a function gives. It is called for each token that Entra ID is asked for. */
export declare class ClientAssertionCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(
    tenantId: string,
    clientId: string,
    getAssertion: () => Promise<string> | string,
    options?: ClientAssertionCredentialOptions,
  );
}

/** Options of {@link WorkloadIdentityCredential}. */
export interface WorkloadIdentityCredentialOptions extends AuthorityOptions, MultiTenantOptions {
  /** Default: `AZURE_TENANT_ID`. */
  tenantId?: string;
  /** Default: `AZURE_CLIENT_ID`. */
  clientId?: string;
  /** Where the platform leaves the workload's token. Default: `AZURE_FEDERATED_TOKEN_FILE`. */
  tokenFilePath?: string;
  /** Asks the token proxy of an AKS cluster with identity bindings, where `AZURE_KUBERNETES_TOKEN_PROXY` names one. */
  enableAzureProxy?: boolean;
}

/** A workload of Kubernetes, by the token that its platform leaves in a file. */
export declare class WorkloadIdentityCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(options?: WorkloadIdentityCredentialOptions);
}

/** Options of {@link AzurePipelinesCredential}. */
export interface AzurePipelinesCredentialOptions extends AuthorityOptions, MultiTenantOptions {}

/** A job of Azure Pipelines, through its service connection. */
export declare class AzurePipelinesCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(
    tenantId: string,
    clientId: string,
    serviceConnectionId: string,
    systemAccessToken: string,
    options?: AzurePipelinesCredentialOptions,
  );
}

/** Who an API is, and for whom it asks. */
interface OnBehalfOf {
  /** The API's tenant. */
  tenantId: string;
  /** The API's client id. */
  clientId: string;
  /** The access token that the user called with. */
  userAssertionToken: string;
}

/** An API that shows itself by a secret. */
export interface OnBehalfOfCredentialSecretOptions extends OnBehalfOf {
  /** The API's secret. */
  clientSecret: string;
}

/** An API that shows itself by a certificate. */
export interface OnBehalfOfCredentialCertificateOptions extends OnBehalfOf {
  /** The path of a PEM or PKCS#12 file with the certificate and its key. */
  certificatePath: string;
  /** The password of the key. */
  certificatePassword?: string;
  /** Sends the certificate with each assertion, for applications that trust a subject name and its authority. */
  sendCertificateChain?: boolean;
}

/** An API that shows itself by an assertion. */
export interface OnBehalfOfCredentialAssertionOptions extends OnBehalfOf {
  /** Gives the assertion. */
  getAssertion: () => Promise<string> | string;
}

/** Options of {@link OnBehalfOfCredential}: who the API is, its one proof, and for whom it asks. */
export type OnBehalfOfCredentialOptions = (
  | OnBehalfOfCredentialSecretOptions
  | OnBehalfOfCredentialCertificateOptions
  | OnBehalfOfCredentialAssertionOptions
) &
  AuthorityOptions &
  MultiTenantOptions;

/** An API, on behalf of the user who called it. */
export declare class OnBehalfOfCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(options: OnBehalfOfCredentialOptions);
}

/** Options of {@link AuthorizationCodeCredential}. */
export interface AuthorizationCodeCredentialOptions extends AuthorityOptions, MultiTenantOptions {}

/** A web application, by the code that its user's browser brought. */
export declare class AuthorizationCodeCredential extends Credential {
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(
    tenantId: string,
    clientId: string,
    clientSecret: string,
    authorizationCode: string,
    redirectUri: string,
    options?: AuthorizationCodeCredentialOptions,
  );
  /** @throws {@link InvalidConfigurationError} for an argument, option or variable that is missing or wrong. */
  constructor(
    tenantId: string,
    clientId: string,
    authorizationCode: string,
    redirectUri: string,
    options?: AuthorizationCodeCredentialOptions,
  );
}

/** A credential of this file. */
export type ApplicationCredential =
  | AuthorizationCodeCredential
  | AzurePipelinesCredential
  | ClientAssertionCredential
  | ClientCertificateCredential
  | OnBehalfOfCredential
  | WorkloadIdentityCredential;
