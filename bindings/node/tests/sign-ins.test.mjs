// The credentials that sign in to Entra ID, and what the program gives them; AZCRED_EMULATOR holds the emulator's line.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import https from "node:https";
import test from "node:test";

import * as azcred from "azcred";

import { SCOPE, environment, rejection, run, thrown } from "./fake.mjs";

const emulator = JSON.parse(process.env.AZCRED_EMULATOR ?? "null");
const options = { skip: emulator === null && "AZCRED_EMULATOR is not set" };
const e = emulator ?? {};
const entra = { authorityHost: e.https };

function admin(path, body) {
  return fetch(`${e.admin}/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  }).then((answer) => answer.json());
}

const assertion = () => readFileSync(e.federated_token_file, "utf8");

const userToken = async () =>
  (await admin("user-token", { username: e.username, client_id: e.client_id })).access_token;

/** The code that a browser brings back. */
function code() {
  const query = new URLSearchParams({
    client_id: e.client_id,
    response_type: "code",
    redirect_uri: "http://localhost",
    scope: `${SCOPE} openid offline_access`,
  });
  return new Promise((resolve, reject) => {
    const address = `${e.https}/${e.tenant_id}/oauth2/v2.0/authorize?${query}`;
    const answered = (answer) => {
      answer.resume();
      resolve(new URL(answer.headers.location).searchParams.get("code"));
    };
    https.get(address, { ca: readFileSync(e.ca_file) }, answered).on("error", reject);
  });
}

function trust(t) {
  environment(t, {
    SSL_CERT_FILE: e.ca_file,
    SYSTEM_OIDCREQUESTURI: e.pipelines_uri,
    AZURE_FEDERATED_TOKEN_FILE: e.federated_token_file,
  });
}

const APPLICATIONS = {
  "an assertion": () => new azcred.ClientAssertionCredential(e.tenant_id, e.workload_client_id, assertion, entra),
  "a promised assertion": () =>
    new azcred.ClientAssertionCredential(e.tenant_id, e.workload_client_id, async () => assertion(), entra),
  "a certificate": () =>
    new azcred.ClientCertificateCredential(e.tenant_id, e.certificate_client_id, e.certificate_file, entra),
  "a workload": () =>
    new azcred.WorkloadIdentityCredential({ tenantId: e.tenant_id, clientId: e.workload_client_id, ...entra }),
  "a pipeline": () =>
    new azcred.AzurePipelinesCredential(
      e.tenant_id,
      e.pipelines_client_id,
      e.pipelines_service_connection_id,
      e.pipelines_token,
      entra,
    ),
  "on behalf of a user, by secret": async () =>
    new azcred.OnBehalfOfCredential({
      tenantId: e.tenant_id,
      clientId: e.client_id,
      clientSecret: e.client_secret,
      userAssertionToken: await userToken(),
      ...entra,
    }),
  "on behalf of a user, by function": async () =>
    new azcred.OnBehalfOfCredential({
      tenantId: e.tenant_id,
      clientId: e.client_id,
      getAssertion: assertion,
      userAssertionToken: await userToken(),
      ...entra,
    }),
  "a code": async () =>
    new azcred.AuthorizationCodeCredential(
      e.tenant_id,
      e.client_id,
      e.client_secret,
      await code(),
      "http://localhost",
      entra,
    ),
  "a password": () =>
    new azcred.UsernamePasswordCredential(e.tenant_id, e.public_client_id, e.username, e.password, entra),
};

for (const [name, make] of Object.entries(APPLICATIONS)) {
  test(`a token by ${name}`, options, async (t) => {
    trust(t);
    const credential = await make();
    const { token, provenance } = await credential.getToken(SCOPE);
    assert.ok(token);
    assert.equal(provenance.credential, credential.constructor.name);
  });
}

test("messages spell names as this package does", options, async (t) => {
  trust(t);
  const proof = { certificatePath: "/nonexistent" };
  for (const [make, expected] of [
    [() => new azcred.ClientCertificateCredential("t", "c"), "expected certificatePath or certificateData, got none"],
    [() => new azcred.ClientCertificateCredential("t", "c", proof), "option certificatePath: /nonexistent can't be"],
    [() => new azcred.ClientCertificateCredential("", "c", proof), "option tenantId: expected a value"],
    [() => new azcred.ClientCertificateCredential("t", "c", { pem: "x" }), "unknown option pem; it takes tenantId, "],
  ]) {
    const { message } = thrown(make);
    assert.ok(message.startsWith(`ClientCertificateCredential: ${expected}`), message);
  }
  const own = { tenantId: "t", clientId: "c", userAssertionToken: "u" };
  const { message } = thrown(() => new azcred.OnBehalfOfCredential(own));
  assert.match(
    message,
    /expected one of clientSecret, clientCertificate \(certificatePath\) and getAssertion, got none/,
  );
  const stranger = new azcred.ClientCertificateCredential(e.tenant_id, "c", e.certificate_file, entra);
  assert.match((await rejection(stranger.getToken(SCOPE))).message, /^ClientCertificateCredential: /);
});

test("a function that gives no assertion is one sentence", options, async (t) => {
  trust(t);
  const cases = [
    [
      () => {
        throw new RangeError("no\n key");
      },
      /failed: RangeError: no key/,
    ],
    [
      async () => {
        throw "a text";
      },
      /failed: a text/,
    ],
    [() => Promise.reject(), /failed: undefined/],
    [() => undefined, /gave no text/],
    [() => "", /gave no text/],
    [() => 5, /failed: it gave a value of type number/],
    [
      () => {
        throw {
          toString() {
            throw new Error();
          },
        };
      },
      /failed: it threw something/,
    ],
  ];
  for (const [getAssertion, expected] of cases) {
    const credential = new azcred.ClientAssertionCredential(e.tenant_id, e.client_id, getAssertion, entra);
    const error = await rejection(credential.getToken(SCOPE));
    assert.deepEqual([error.name, error.code], ["AuthenticationError", "FAILED"]);
    assert.match(error.message, expected);
  }
});

test("options of another type are named", () => {
  const cases = [
    [() => new azcred.ClientAssertionCredential("t", "c", "jwt"), /getAssertion: expected a function, got text/],
    [() => new azcred.DeviceCodeCredential({ userPromptCallback: 5 }), /userPromptCallback: expected a function/],
    [() => new azcred.DeviceCodeCredential({ authenticationRecord: {} }), /authenticationRecord: expected/],
    [() => new azcred.ClientSecretCredential("t", "c", () => "s"), /clientSecret: expected a string, got a function/],
    [() => new azcred.ClientSecretCredential("t", "c", Buffer.from([255])), /clientSecret: expected a string/],
    [() => new azcred.ClientSecretCredential("t", "c", new Float64Array(1)), /clientSecret: expected a string/],
  ];
  for (const [make, expected] of cases) {
    const error = thrown(make);
    assert.equal(error.code, "INVALID_CONFIGURATION");
    assert.match(error.message, expected);
  }
});

test("a slow function is called once and keeps nobody else waiting", options, async (t) => {
  trust(t);
  let calls = 0;
  let go;
  const gone = new Promise((resolve) => {
    go = resolve;
  });
  const slow = new azcred.ClientAssertionCredential(
    e.tenant_id,
    e.workload_client_id,
    async () => {
      calls += 1;
      await gone;
      return assertion();
    },
    entra,
  );
  const waiting = Array.from({ length: 20 }, () => slow.getToken("https://slow-node.example/.default"));
  const fast = new azcred.ClientSecretCredential(e.tenant_id, e.client_id, e.client_secret, entra);
  assert.ok((await fast.getToken("https://fast-node.example/.default")).token);
  go();
  assert.equal(new Set((await Promise.all(waiting)).map(({ token }) => token)).size, 1);
  assert.equal(calls, 1);
});

test("a device code, its record, and another account", options, async (t) => {
  trust(t);
  const approve =
    (username) =>
    ({ userCode, verificationUri, message, ...rest }) => {
      assert.deepEqual(rest, {});
      assert.ok(verificationUri.startsWith("https://") && message.includes(userCode));
      return admin("devicecode", { user_code: userCode, action: "approve", ...(username && { username }) });
    };
  const own = { tenantId: e.tenant_id, clientId: e.public_client_id, ...entra };
  const credential = new azcred.DeviceCodeCredential({
    ...own,
    userPromptCallback: approve(),
    disableAutomaticAuthentication: true,
  });
  const wish = { claims: '{"a":1}' };
  const required = await rejection(credential.getToken(SCOPE, wish));
  assert.ok(required instanceof azcred.AuthenticationRequiredError);
  assert.deepEqual(
    [required.name, required.code, required.scopes, required.getTokenOptions, required.claims],
    ["AuthenticationRequiredError", "UNAVAILABLE", [SCOPE], wish, wish.claims],
  );

  const record = await credential.authenticate(required.scopes, required.getTokenOptions);
  assert.equal(record.username, e.username);
  assert.ok((await credential.getToken("https://vault.azure.net/.default")).token);
  const text = azcred.serializeAuthenticationRecord(record);
  assert.equal(JSON.parse(text).version, "1.0");
  assert.deepEqual({ ...azcred.deserializeAuthenticationRecord(text) }, { ...record });

  const other = new azcred.DeviceCodeCredential({
    ...own,
    authenticationRecord: record,
    userPromptCallback: approve(e.mfa_username),
  });
  const refused = await rejection(other.authenticate());
  assert.match(refused.message, /expected a sign-in of alex/);

  const broken = new azcred.DeviceCodeCredential({
    ...own,
    userPromptCallback: () => {
      throw new Error("no display");
    },
  });
  assert.match((await rejection(broken.authenticate(SCOPE))).message, /Error: no display/);

  const aborted = await rejection(broken.authenticate(SCOPE, { abortSignal: AbortSignal.abort() }));
  assert.equal(aborted.name, "AbortError");
});

test("records that are none are refused", () => {
  for (const text of ["", "{}", "[]", '{"version":"2.0"}', 5, null]) {
    assert.equal(thrown(() => azcred.deserializeAuthenticationRecord(text)).code, "INVALID_ARGUMENT");
  }
  for (const record of [null, undefined, {}, "{}", { authority: 5 }]) {
    assert.equal(thrown(() => azcred.serializeAuthenticationRecord(record)).code, "INVALID_ARGUMENT");
  }
});

test("a function keeps no process alive, and a worker that ends is an answer", options, async (t) => {
  trust(t);
  const { code, output } = await run(`
    import { Worker } from "node:worker_threads";
    import { ClientAssertionCredential } from "azcred";
    new ClientAssertionCredential("t", "c", () => "jwt");
    const source = \`
      const { parentPort } = require("node:worker_threads");
      const { ClientAssertionCredential } = require("azcred");
      const own = new ClientAssertionCredential("t", "c", () => { parentPort.postMessage(1); return new Promise(() => {}); });
      own.getToken("x").catch(() => {});
    \`;
    for (let round = 0; round < 5; round += 1) {
      const worker = new Worker(source, { eval: true, execArgv: [] });
      await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
    }
    console.log("ended");
  `);
  assert.deepEqual([code, output], [0, "ended"]);
});

test("a function that leads to its credential keeps nothing alive", async () => {
  const { code, output } = await run(
    `
    import { ChainedTokenCredential, ClientAssertionCredential } from "azcred";
    const kept = [];
    for (let at = 0; at < 20; at += 1) {
      const service = { ballast: new Array(1000) };
      service.own = new ClientAssertionCredential("t", "c", () => service.ballast.join());
      service.chain = new ChainedTokenCredential(service.own);
      kept.push(new WeakRef(service));
    }
    for (let at = 0; at < 5; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      globalThis.gc();
    }
    console.log(kept.filter((service) => service.deref()).length);
  `,
    { args: ["--expose-gc"] },
  );
  assert.deepEqual([code, output], [0, "0"]);
});
