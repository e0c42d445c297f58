/** What is measured in Node, by name: `library/kind`. Each gives a function that gives a promise. */

export const STORAGE = "https://storage.azure.com/.default";

const HOUR = 3600_000;

async function credentialOf(library, kind) {
  const classes = await import(library);
  if (kind === "managed_identity") {
    return new classes.ManagedIdentityCredential();
  }
  if (kind === "default_chain") {
    return new classes.DefaultAzureCredential();
  }
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = process.env;
  const options = library === "azcred" ? {} : { disableInstanceDiscovery: true };
  return new classes.ClientSecretCredential(tenant, client, secret, options);
}

/** The function whose promise is measured. */
export async function asking(name) {
  const at = name.lastIndexOf("/");
  const [library, kind] = [name.slice(0, at), name.slice(at + 1)];
  if (library === "floor") {
    const resolved = Promise.resolve({});
    return () => resolved;
  }
  if (library === "google-auth-library") {
    const { OAuth2Client } = await import("google-auth-library");
    const client = new OAuth2Client();
    client.setCredentials({ access_token: "a".repeat(1500), expiry_date: Date.now() + HOUR });
    return () => client.getAccessToken();
  }
  if (library === "@aws-sdk/credential-providers") {
    // Credentials that expire, so that their life is checked at each call.
    process.env.AWS_ACCESS_KEY_ID = "id";
    process.env.AWS_SECRET_ACCESS_KEY = "secret";
    process.env.AWS_CREDENTIAL_EXPIRATION = new Date(Date.now() + HOUR).toISOString();
    const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
    const provide = fromNodeProviderChain();
    return () => provide();
  }
  const credential = await credentialOf(library, kind);
  return (scope = STORAGE) => credential.getToken(scope);
}
