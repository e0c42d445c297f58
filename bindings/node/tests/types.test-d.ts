// Compiled with `tsc --noEmit --strict`, beside an installed azcred, @azure/core-auth and @types/node.

import type { AccessToken as CoreToken, GetTokenOptions as CoreOptions, TokenCredential } from "@azure/core-auth";
import { DeviceCodeCredential as Peer } from "@azure/identity";
import {
  type AccessToken,
  AggregateAuthenticationError,
  AggregateAuthenticationErrorName,
  AuthenticationError,
  type AuthenticationRecord,
  AuthenticationRequiredError,
  AuthorizationCodeCredential,
  AzcredError,
  AzureAuthorityHosts,
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePipelinesCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  CredentialUnavailableError,
  DefaultAzureCredential,
  DeviceCodeCredential,
  deserializeAuthenticationRecord,
  EnvironmentCredential,
  type GetTokenOptions,
  InteractiveBrowserCredential,
  ManagedIdentityCredential,
  VisualStudioCodeCredential,
  getBearerTokenProvider,
  getDefaultAzureCredential,
  OnBehalfOfCredential,
  serializeAuthenticationRecord,
  UsernamePasswordCredential,
  type DefaultAzureCredentialClientIdOptions,
  type ManagedIdentityCredentialResourceIdOptions,
  type MultiTenantTokenCredentialOptions,
  type OnBehalfOfCredentialSecretOptions,
  type TokenCredentialOptions,
  WorkloadIdentityCredential,
} from "azcred";

const credentials = [
  new DefaultAzureCredential(),
  new DefaultAzureCredential({
    managedIdentityClientId: "id",
    processTimeoutInMs: 1000,
    retryOptions: { maxRetries: 1 },
    excludeSharedTokenCacheCredential: true,
    excludeVisualStudioCodeCredential: true,
    excludeBrokerCredential: true,
  }),
  getDefaultAzureCredential(),
  new VisualStudioCodeCredential(),
  new VisualStudioCodeCredential({ tenantId: "t", additionallyAllowedTenants: ["*"] }),
  new ManagedIdentityCredential(),
  new ManagedIdentityCredential("id"),
  new ManagedIdentityCredential("id", {}),
  new ManagedIdentityCredential({ resourceId: "id" }),
  new ClientSecretCredential("t", "c", "s", { authorityHost: AzureAuthorityHosts.AzureChina }),
  new EnvironmentCredential({ additionallyAllowedTenants: ["*"] }),
  new EnvironmentCredential({ proxyOptions: { host: "http://h", port: 1 }, connectionVerify: "ca.pem" }),
  new AzureCliCredential({ subscription: "s" }),
  new AzurePowerShellCredential({ tenantId: "t", processTimeoutInMs: 1000 }),
  new AzureDeveloperCliCredential({ additionallyAllowedTenants: ["*"] }),
  new ClientCertificateCredential("t", "c", "path", { sendCertificateChain: true }),
  new ClientCertificateCredential("t", "c", { certificate: new Uint8Array(1), certificatePassword: "p" }),
  new ClientAssertionCredential("t", "c", async () => "jwt", { authorityHost: "h" }),
  new ClientAssertionCredential("t", "c", () => "jwt"),
  new WorkloadIdentityCredential({ tokenFilePath: "f" }),
  new AzurePipelinesCredential("t", "c", "id", "token"),
  new OnBehalfOfCredential({ tenantId: "t", clientId: "c", userAssertionToken: "u", getAssertion: () => "jwt" }),
  new OnBehalfOfCredential({ tenantId: "t", clientId: "c", userAssertionToken: "u", clientSecret: "s" }),
  new AuthorizationCodeCredential("t", "c", "s", "code", "uri", {}),
  new AuthorizationCodeCredential("t", "c", "code", "uri", {}),
  new UsernamePasswordCredential("t", "c", "u", "p"),
  new DeviceCodeCredential({ userPromptCallback: ({ message }) => console.log(message) }),
  new InteractiveBrowserCredential({ redirectUri: () => "http://localhost", loginHint: "u" }),
  new ChainedTokenCredential(new ClientAssertionCredential("t", "c", () => "jwt"), new DeviceCodeCredential()),
  new ChainedTokenCredential(new EnvironmentCredential(), new ChainedTokenCredential(new AzureCliCredential())),
  new ChainedTokenCredential(new Peer(), { getToken: async () => ({ token: "t", expiresOnTimestamp: 0 }) }),
] as const;

// A program's own declarations move over by the name of the package.
type Moved = [
  TokenCredentialOptions,
  MultiTenantTokenCredentialOptions,
  DefaultAzureCredentialClientIdOptions,
  ManagedIdentityCredentialResourceIdOptions,
  OnBehalfOfCredentialSecretOptions,
];
const moved: Moved = [
  { authorityHost: "h", loggingOptions: {}, telemetryOptions: {} },
  { additionallyAllowedTenants: ["*"] },
  { managedIdentityClientId: "m", workloadIdentityClientId: "w" },
  { resourceId: "r" },
  { tenantId: "t", clientId: "c", clientSecret: "s", userAssertionToken: "u" },
];
void [
  new DefaultAzureCredential(moved[2]),
  new ManagedIdentityCredential(moved[3]),
  new OnBehalfOfCredential(moved[4]),
];

// Clients of the Azure SDK take all of them.
const taken: readonly TokenCredential[] = credentials;
void taken;

// The provider takes ours and everybody else's.
declare const stranger: TokenCredential;
declare const leave: AbortSignal;
const providers: (() => Promise<string>)[] = [
  getBearerTokenProvider(new DefaultAzureCredential(), "scope"),
  getBearerTokenProvider(stranger, ["scope"], { abortSignal: leave, tracingOptions: {} }),
  getBearerTokenProvider({ getToken: async () => ({ token: "t", expiresOnTimestamp: 0 }) }, "scope"),
];
void providers;
// @ts-expect-error: no credential
void getBearerTokenProvider({}, "scope");
// @ts-expect-error: no scopes
void getBearerTokenProvider(stranger);

async function use(credential: DefaultAzureCredential, options: CoreOptions, signal: AbortSignal): Promise<void> {
  const token: AccessToken = await credential.getToken("scope");
  const core: CoreToken | null = await credential.getToken(["scope"], options);
  await credential.getToken("scope", { abortSignal: signal, requestOptions: { timeout: 5 }, minTtl: 60 });
  const own: GetTokenOptions = { tenantId: "t", claims: "{}", enableCae: true };
  await credential.getToken("scope", own);
  const millis: number = token.expiresOnTimestamp + token.refreshAfterTimestamp;
  const type: "Bearer" = token.tokenType;
  const tenant: string | undefined = token.provenance.tenantId;
  void [core, millis, type, tenant];

  // @ts-expect-error: tokens are frozen
  token.token = "x";
  // @ts-expect-error: scopes are text
  await credential.getToken(5);
  // @ts-expect-error: one list, not many arguments
  await credential.getToken("a", "b");
}
void use;

async function signIn(credential: DeviceCodeCredential | InteractiveBrowserCredential): Promise<void> {
  const record: AuthenticationRecord = await credential.authenticate("scope", { claims: "{}" });
  const kept: AuthenticationRecord = deserializeAuthenticationRecord(serializeAuthenticationRecord(record));
  void new DeviceCodeCredential({ authenticationRecord: kept, disableAutomaticAuthentication: true });
  await credential.getToken("scope").catch(async (error: unknown) => {
    if (error instanceof AuthenticationRequiredError) {
      await credential.authenticate(error.scopes, { ...error.getTokenOptions, claims: error.claims });
    }
  });
}
void signIn;

function judge(error: unknown): string | undefined {
  if (error instanceof AggregateAuthenticationError) {
    const name: "AggregateAuthenticationError" = AggregateAuthenticationErrorName;
    return name + error.errors.map((member: AzcredError) => member.code).join();
  }
  if (error instanceof AuthenticationError) {
    return error.errorResponse.error + (error.statusCode ?? 0).toFixed();
  }
  if (error instanceof AzcredError) {
    switch (error.code) {
      case "UNAVAILABLE":
      case "TRANSIENT":
        return error.attempts.map(({ credential, kind, message }) => credential + kind + message).join();
      // @ts-expect-error: no such code
      case "NONSENSE":
        return error.providerCode;
    }
  }
  return undefined;
}
void judge;
void new CredentialUnavailableError("words", { code: "UNAVAILABLE" });

// @ts-expect-error: no such option
void new DefaultAzureCredential({ tenantID: "t" });
// @ts-expect-error: an id is text
void new ManagedIdentityCredential(5);
// @ts-expect-error: the secret is missing
void new ClientSecretCredential("t", "c");
// @ts-expect-error: a member gives tokens
void new ChainedTokenCredential({ getToken: async () => "t" });
// @ts-expect-error: refused
void new ManagedIdentityCredential({ allowInsecureConnection: true });
// @ts-expect-error: no proof
void new OnBehalfOfCredential({ tenantId: "t", clientId: "c", userAssertionToken: "u" });
// @ts-expect-error: an assertion is text
void new ClientAssertionCredential("t", "c", () => 5);
