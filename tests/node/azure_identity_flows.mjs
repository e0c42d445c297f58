// Goes through the flows with the published @azure/identity, or with a package that has its names:
// `node azure_identity_flows.mjs SCENE [PACKAGE]`. Prints what came of each as one line of JSON.

import { readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const published = "@azure/identity";
const library = process.argv[3] ?? published;
const identity = await import(library);
const scene = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { main: ready, strict, assertions, user_assertions: users, hosts } = scene;
const tenant = ready.tenant_id;
const client = ready.client_id;
const publicClient = ready.public_client_id;
const nobody = "99999999-9999-9999-9999-999999999999";
const SCOPE = "https://storage.azure.com/.default";
const VAULT = "https://vault.azure.net/.default";
const ADDRESS = "http://localhost:5000";

const own = { authorityHost: ready.https, disableInstanceDiscovery: true };
const ownStrict = { authorityHost: strict.https, disableInstanceDiscovery: true };

async function admin(path, body) {
  const answer = await fetch(ready.admin + path, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the emulator refuses ${path}: ${await answer.text()}`);
}

async function code(clientId) {
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: ADDRESS,
    scope: `${SCOPE} openid offline_access`,
    state: "state",
  });
  const answer = await fetch(`${ready.https}/${tenant}/oauth2/v2.0/authorize?${query}`, { redirect: "manual" });
  return new URL(answer.headers.get("location")).searchParams.get("code");
}

/** Has these variables while `give` runs. */
async function within(variables, give) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await give();
  } finally {
    for (const name of Object.keys(variables)) {
      if (name in before) process.env[name] = before[name];
      else delete process.env[name];
    }
  }
}

/** What the flow asks for. azcred's cache is the process's, so each of its flows asks for something of its own. */
let scope = SCOPE;

const scopeOf = (flow) =>
  library === published ? SCOPE : `https://${flow.toLowerCase().replace(/[^a-z]+/g, "-")}.example/.default`;

const ask = (credential, options) => credential.getToken(scope, options);

// ---- applications

const bySecret = ({ tenantId = tenant, clientId = client, secret = ready.client_secret } = {}, request = {}) =>
  ask(new identity.ClientSecretCredential(tenantId, clientId, secret, own), request);

const byCertificate = (file, options = {}) =>
  ask(new identity.ClientCertificateCredential(tenant, client, file, { ...own, ...options }));

const byAssertion = (text) => ask(new identity.ClientAssertionCredential(tenant, client, async () => text, own));

const applicationEnv = {
  AZURE_TENANT_ID: tenant,
  AZURE_CLIENT_ID: client,
  AZURE_CLIENT_SECRET: ready.client_secret,
  AZURE_AUTHORITY_HOST: ready.https,
};

async function certificateTwice() {
  const credential = new identity.ClientCertificateCredential(
    strict.tenant_id,
    strict.client_id,
    strict.certificate_file,
    ownStrict,
  );
  await credential.getToken(VAULT);
  return ask(credential);
}

const federated = readFileSync(ready.federated_token_file, "utf8");
const chain = { sendCertificateChain: true };

const applications = {
  secret: () => bySecret(),
  "secret: with client capabilities": () => bySecret({}, { enableCae: true }),
  "secret: from the environment": () =>
    within(applicationEnv, () => ask(new identity.EnvironmentCredential({ disableInstanceDiscovery: true }))),
  "secret: by the default chain": () =>
    within(applicationEnv, () => ask(new identity.DefaultAzureCredential({ disableInstanceDiscovery: true }))),
  "secret: under the production names": () =>
    within(scene.proxy, () => ask(new identity.ClientSecretCredential(tenant, client, ready.client_secret))),
  "secret: wrong": () => bySecret({ secret: "wrong" }),
  "secret: of nobody": () => bySecret({ clientId: nobody }),
  "secret: in no tenant": () => bySecret({ tenantId: nobody }),
  "secret: in a single tenant, asked in common": () => bySecret({ tenantId: "common" }),
  certificate: () => byCertificate(ready.certificate_file),
  "certificate: with its chain": () => byCertificate(ready.certificate_file, chain),
  "certificate: a successor with its chain": () => byCertificate(ready.certificate_successor_file, chain),
  "certificate: a successor without its chain": () => byCertificate(ready.certificate_successor_file),
  "certificate: another's key": () => byCertificate(scene.mismatched),
  "certificate: its assertion again": certificateTwice,
  "assertion: federated": () => byAssertion(federated),
  "assertion: signed by the certificate": () => byAssertion(assertions.certificate),
  "assertion: another's signature": () => byAssertion(assertions.signature),
  "assertion: another's audience": () => byAssertion(assertions.audience),
  "assertion: expired": () => byAssertion(assertions.expired),
  "assertion: of another application": () => byAssertion(assertions.application),
  "assertion: federated, another's signature": () => byAssertion(assertions.federated_signature),
  "assertion: federated, another's audience": () => byAssertion(assertions.federated_audience),
  "assertion: federated, expired": () => byAssertion(assertions.federated_expired),
  "assertion: federated, another's issuer": () => byAssertion(assertions.federated_issuer),
  "assertion: no token": () => byAssertion(assertions.no_token),
};

/** @azure/identity reads PEM only. */
const pfx = { certificatePath: ready.certificate_pfx, certificatePassword: ready.certificate_password };
const others = {
  "certificate: PFX": () => byCertificate(pfx),
  "certificate: PFX with its chain": () => byCertificate(pfx, chain),
};

// ---- pods and pipelines

const pod = {
  AZURE_TENANT_ID: tenant,
  AZURE_CLIENT_ID: ready.workload_client_id,
  AZURE_FEDERATED_TOKEN_FILE: ready.federated_token_file,
  AZURE_AUTHORITY_HOST: ready.https,
};
const tokenProxy = {
  AZURE_KUBERNETES_TOKEN_PROXY: ready.token_proxy,
  AZURE_KUBERNETES_CA_FILE: ready.token_proxy_ca_file,
};
const expired = { AZURE_FEDERATED_TOKEN_FILE: scene.federated_expired };

const byWorkload = (variables) =>
  within({ ...pod, ...variables }, () =>
    ask(
      new identity.WorkloadIdentityCredential({
        disableInstanceDiscovery: true,
        enableAzureProxy: "AZURE_KUBERNETES_TOKEN_PROXY" in variables,
      }),
    ),
  );

const byPipeline = (token, connection) =>
  within({ SYSTEM_OIDCREQUESTURI: ready.pipelines_uri }, () =>
    ask(new identity.AzurePipelinesCredential(tenant, ready.pipelines_client_id, connection, token, own)),
  );

const workloads = {
  workload: () => byWorkload({}),
  "workload: by the default chain": () =>
    within(pod, () => ask(new identity.DefaultAzureCredential({ disableInstanceDiscovery: true }))),
  "workload: by the token proxy": () => byWorkload(tokenProxy),
  "workload: by the token proxy's name": () =>
    byWorkload({ ...tokenProxy, AZURE_KUBERNETES_SNI_NAME: ready.token_proxy_sni }),
  "workload: expired": () => byWorkload(expired),
  "workload: another's audience": () => byWorkload({ AZURE_FEDERATED_TOKEN_FILE: scene.federated_audience }),
  "workload: expired, by the token proxy": () => byWorkload({ ...tokenProxy, ...expired }),
  pipeline: () => byPipeline(ready.pipelines_token, ready.pipelines_service_connection_id),
  "pipeline: wrong token": () => byPipeline("wrong", ready.pipelines_service_connection_id),
  "pipeline: wrong connection": () => byPipeline(ready.pipelines_token, nobody),
};

// ---- a user who is elsewhere

const onBehalf = (userAssertionToken, proof = { clientSecret: ready.client_secret }) =>
  ask(new identity.OnBehalfOfCredential({ tenantId: tenant, clientId: client, userAssertionToken, ...proof, ...own }));

const byCode = (text, address = ADDRESS) =>
  ask(new identity.AuthorizationCodeCredential(tenant, publicClient, text, address, own));

async function codeTwice() {
  const text = await code(publicClient);
  await byCode(text);
  return byCode(text);
}

const delegations = {
  "on behalf of: secret": () => onBehalf(users.good),
  "on behalf of: certificate": () => onBehalf(users.good, { certificatePath: ready.certificate_file }),
  "on behalf of: assertion": () => onBehalf(users.good, { getAssertion: async () => federated }),
  "on behalf of: wrong secret": () => onBehalf(users.good, { clientSecret: "wrong" }),
  "on behalf of: another's signature": () => onBehalf(users.signature),
  "on behalf of: another's audience": () => onBehalf(users.audience),
  "on behalf of: expired": () => onBehalf(users.expired),
  "on behalf of: a second factor wanted": () => onBehalf(users.mfa),
  code: async () =>
    ask(
      new identity.AuthorizationCodeCredential(tenant, client, ready.client_secret, await code(client), ADDRESS, own),
    ),
  "code: public client": async () => byCode(await code(publicClient)),
  "code: wrong": () => byCode("wrong"),
  "code: twice": codeTwice,
  "code: another's address": async () => byCode(await code(publicClient), "http://localhost:5001/callback"),
  "code: of another client": async () => byCode(await code(client)),
};

// ---- a person at the machine

const byPassword = (username, password = ready.password) =>
  ask(new identity.UsernamePasswordCredential(tenant, publicClient, username, password, own));

const device = (userPromptCallback, options = own) =>
  new identity.DeviceCodeCredential({ tenantId: tenant, clientId: publicClient, userPromptCallback, ...options });

const does =
  (action) =>
  ({ userCode }) =>
    admin("/devicecode", { user_code: userCode, action });

const browser = () =>
  ask(new identity.InteractiveBrowserCredential({ tenantId: tenant, clientId: publicClient, ...own }));

async function refreshed(revoke) {
  const credential = device(does("approve"), { ...own, disableAutomaticAuthentication: true });
  await credential.authenticate(SCOPE);
  if (revoke) await admin("/revoke", {});
  return credential.getToken(VAULT);
}

/** The clocks of both are real: this is the whole life of a device code there. */
const late = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);

const people = {
  password: () => byPassword(ready.username),
  "password: wrong": () => byPassword(ready.username, "wrong"),
  "password: of nobody": () => byPassword("nobody@contoso.example"),
  "password: a second factor wanted": () => byPassword(ready.mfa_username),
  device: () => ask(device(() => {})),
  "device: declined": () => ask(device(does("decline"))),
  "device: expired": () => ask(device(late, ownStrict)),
  browser,
  "browser: declined": async () => {
    await admin("/authorize", { deny: 1 });
    return browser();
  },
  "refresh: for another resource": () => refreshed(false),
  "refresh: revoked": () => refreshed(true),
};

// ---- managed identities

/**
 * With @azure/identity each in a thread of its own: MSAL keeps the first host that it found for as long as its module
 * lives. Native code reads the process's variables, which only the main thread sets.
 */
function byHost(host) {
  if (library !== published) return within(host.env, () => inHost(host));
  const env = { ...process.env, ...host.env };
  // @azure/identity checks Service Fabric's certificate as any other, and knows no thumbprint.
  if ("IDENTITY_SERVER_THUMBPRINT" in host.env) env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), env, workerData: host });
  return new Promise((resolve, reject) => {
    worker.once("message", ({ token, error }) => (token ? resolve({ token }) : reject(new Error(error))));
    worker.once("error", reject);
  });
}

async function inHost({ scope, client_id: clientId, fault }) {
  if (fault) await admin("/faults", fault);
  return new identity.ManagedIdentityCredential(clientId ? { clientId } : {}).getToken(scope);
}

const managed = Object.fromEntries(hosts.map((host) => [host.name, () => byHost(host)]));

async function outcome(give) {
  try {
    return { token: (await give()).token };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

if (isMainThread) {
  const flows = {
    ...applications,
    ...(library === published ? {} : others),
    ...workloads,
    ...delegations,
    ...people,
    ...managed,
  };
  for (const [flow, give] of Object.entries(flows)) {
    scope = scopeOf(flow);
    console.log(JSON.stringify({ flow, ...(await outcome(give)) }));
  }
  // What still listens for a browser must not keep the program.
  process.exit(0);
} else {
  parentPort.postMessage(await outcome(() => inHost(workerData)));
  process.exit(0);
}
