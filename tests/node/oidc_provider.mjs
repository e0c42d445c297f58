// An OAuth server that nobody here wrote, at the paths of Entra ID: `node oidc_provider.mjs SETTINGS`.
//
// SETTINGS is a JSON file: tenant, key_file, cert_file, resource, and `clients` with the ids of the three clients, the
// secret of one and the certificate of another. Prints its address as one line of JSON when it listens; ends with its
// standard input.

import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import Provider from "oidc-provider";

const { tenant, key_file, cert_file, resource, clients } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const mount = `/${tenant}`;
const defaultScope = `${resource}/.default`;
const device = "urn:ietf:params:oauth:grant-type:device_code";

const server = https.createServer({ key: readFileSync(key_file), cert: readFileSync(cert_file) });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `https://localhost:${server.address().port}`;

const signing = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const application = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"], scope: defaultScope };
const certificate = createPublicKey(readFileSync(clients.certificate_file)).export({ format: "jwk" });
const user = (sub) => ({ sub, tid: tenant, oid: `object-of-${sub}`, preferred_username: `${sub}@contoso.example` });

const provider = new Provider(address + mount, {
  clients: [
    {
      client_id: clients.secret_client_id,
      client_secret: clients.secret,
      token_endpoint_auth_method: "client_secret_post",
      // For itself, and for users whose browsers bring it codes.
      redirect_uris: ["http://localhost:5000"],
      response_types: ["code"],
      grant_types: ["client_credentials", "authorization_code", "refresh_token"],
    },
    {
      client_id: clients.certificate_client_id,
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ ...certificate, use: "sig" }] },
      ...application,
    },
    {
      client_id: clients.public_client_id,
      application_type: "native",
      token_endpoint_auth_method: "none",
      // On a loopback host any port will do.
      redirect_uris: ["http://localhost", "http://127.0.0.1"],
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token", device],
    },
  ],
  jwks: { keys: [{ ...signing, use: "sig", alg: "RS256", kid: "signing" }] },
  cookies: { keys: ["of a test"] },
  scopes: ["openid", "offline_access", "profile", defaultScope],
  enabledJWA: { clientAuthSigningAlgValues: ["RS256", "PS256"] },
  routes: {
    authorization: "/oauth2/v2.0/authorize",
    device_authorization: "/oauth2/v2.0/devicecode",
    token: "/oauth2/v2.0/token",
    jwks: "/discovery/v2.0/keys",
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    // The pages on which somebody signs in.
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, audience) => ({
        scope: `offline_access ${defaultScope}`,
        audience,
        accessTokenFormat: "jwt",
        accessTokenTTL: 3600,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  // `AuthorizationCodeCredential` has no place for a verifier: who made the code's address is another part of the program.
  pkce: { required: (_context, client) => client.clientId === clients.public_client_id },
  // As Entra ID does, with or without a question for consent.
  issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  findAccount: (_context, id) => ({ accountId: id, claims: () => user(id) }),
  // MSAL wants to know tenant and name from the ID token.
  conformIdTokenClaims: false,
  claims: { openid: ["sub", "tid", "oid", "preferred_username"] },
  ttl: { AccessToken: 3600, DeviceCode: 600, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
});
provider.on("server_error", (_context, error) => console.error(error));

// Entra ID knows `select_account`, which is a sign-in here, and gives refresh tokens without `prompt=consent`.
function withConsent(path) {
  const [place, text] = path.split("?");
  const query = new URLSearchParams(text);
  const prompts = (query.get("prompt") ?? "").split(" ").map((one) => (one === "select_account" ? "login" : one));
  if (!prompts.includes("none")) query.set("prompt", [...new Set([...prompts, "consent"])].join(" ").trim());
  return `${place}?${query}`;
}

const serve = provider.callback();
server.on("request", (request, response) => {
  // The tenant is part of every path; the provider works out its place from the two.
  let path = request.url.startsWith(mount) ? request.url.slice(mount.length) : request.url;
  path = path.replace(/^\/v2\.0(?=\/\.well-known\/)/, "");
  if (path.startsWith("/oauth2/v2.0/authorize?")) path = withConsent(path);
  request.originalUrl = mount + path;
  request.url = path;
  serve(request, response);
});

process.stdin.on("end", () => process.exit(0)).resume();
console.log(JSON.stringify({ authority: address }));
