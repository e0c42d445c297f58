import azcred from "./index.js";

export const {
  AbortError,
  AggregateAuthenticationError,
  AggregateAuthenticationErrorName,
  AuthenticationError,
  AuthenticationErrorName,
  AzcredError,
  AzcredInternalError,
  AzureAuthorityHosts,
  AzureCliCredential,
  ChainedTokenCredential,
  ClientSecretCredential,
  CredentialUnavailableError,
  CredentialUnavailableErrorName,
  DefaultAzureCredential,
  EnvironmentCredential,
  InvalidArgumentError,
  InvalidConfigurationError,
  ManagedIdentityCredential,
  TimeoutError,
} = azcred;
