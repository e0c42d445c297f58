// How tokens come: requests, objects, protocol.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import test from "node:test";
import util from "node:util";

import * as azcred from "azcred";

import { SCOPE, good, identityEndpoint, run } from "./fake.mjs";

const { ManagedIdentityCredential } = azcred;

test("a token that is asked for twice is one request", async (t) => {
  const fake = await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const first = await credential.getToken(SCOPE);
  const second = await credential.getToken([SCOPE]);
  const other = await new ManagedIdentityCredential().getToken(SCOPE);
  assert.equal(fake.requests.length, 1);
  assert.equal(first.token, second.token);
  assert.equal(first.token, other.token);
  const [{ headers, query }] = fake.requests;
  assert.equal(headers["x-identity-header"], "the-header-secret");
  assert.deepEqual(query, { "api-version": "2019-08-01", resource: "https://storage.azure.com" });
  await new ManagedIdentityCredential("11111111-1111-1111-1111-111111111111").getToken(SCOPE);
  assert.equal(fake.requests[1].query.client_id, "11111111-1111-1111-1111-111111111111");
});

test("the answer is what @azure/core-auth asks for, and says where it came from", async (t) => {
  const began = Date.now();
  await identityEndpoint(t, () => good({ life: 86_400, text: "abc" }));
  const token = await new ManagedIdentityCredential().getToken(SCOPE);
  assert.deepEqual(Object.keys(token).sort(), [
    "expiresOnTimestamp",
    "provenance",
    "refreshAfterTimestamp",
    "token",
    "tokenType",
  ]);
  assert.equal(token.token, "abc");
  assert.equal(token.tokenType, "Bearer");
  assert.ok(Math.abs(token.expiresOnTimestamp - began - 86_400_000) < 5000);
  assert.ok(token.refreshAfterTimestamp > began && token.refreshAfterTimestamp < token.expiresOnTimestamp);
  const { credential, source, cacheLevel } = token.provenance;
  assert.deepEqual(
    { credential, source, cacheLevel },
    { credential: "ManagedIdentityCredential", source: "app_service", cacheLevel: "source" },
  );
});

test("one token is one object, which nobody can change", async (t) => {
  await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const cached = await credential.getToken(SCOPE);
  assert.equal(cached.provenance.cacheLevel, "source");
  assert.equal(await credential.getToken(SCOPE), cached);
  assert.equal(await credential.getToken([SCOPE], {}), cached);
  assert.notEqual((await credential.getToken("https://vault.azure.net/.default")).token, cached.token);
  assert.equal(await credential.getToken(SCOPE), cached);
  assert.ok(Object.isFrozen(cached) && Object.isFrozen(cached.provenance));
  const other = await new ManagedIdentityCredential().getToken(SCOPE);
  assert.equal(other.token, cached.token);
  assert.equal(other.provenance.cacheLevel, "process");
});

test("callers with and without the CAE flag, and of many scopes, keep their objects", async (t) => {
  const fake = await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const ask = async (options, scope = SCOPE) => {
    await credential.getToken(scope, options);
    return credential.getToken(scope, options);
  };
  const [plain, cae] = [await ask(), await ask({ enableCae: true })];
  // A managed identity knows no difference, so both have one token.
  assert.equal(plain.token, cae.token);
  for (let at = 0; at < 200; at += 1) {
    await ask({}, `https://r${at}/.default`);
  }
  assert.equal(await ask({ enableCae: false }), await ask());
  assert.equal((await ask()).token, plain.token);
  assert.equal(await ask({ enableCae: true }), await ask({ enableCae: true }));
  assert.equal(fake.requests.length, 201);
});

test("claims and a longer life replace the token and its object", async (t) => {
  const fake = await identityEndpoint(t, (_, count) => good({ life: 1000 * count }));
  const credential = new ManagedIdentityCredential();
  const first = await credential.getToken(SCOPE);
  const longer = await credential.getToken(SCOPE, { minTtl: 1500 });
  assert.notEqual(longer.token, first.token);
  assert.equal((await credential.getToken(SCOPE)).token, longer.token);
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: "1" } } });
  const answered = await credential.getToken(SCOPE, { claims });
  assert.notEqual(answered.token, longer.token);
  assert.equal((await credential.getToken(SCOPE, { claims })).token, answered.token);
  assert.equal((await credential.getToken(SCOPE)).token, answered.token);
  assert.equal(fake.requests.length, 3);
});

test("every class is a TokenCredential by the rules of @azure/core-auth", () => {
  const { getToken } = ManagedIdentityCredential.prototype;
  const credentials = [
    new azcred.DefaultAzureCredential(),
    new azcred.ManagedIdentityCredential(),
    new azcred.ClientSecretCredential("tenant", "client", "secret"),
    new azcred.EnvironmentCredential(),
    new azcred.AzureCliCredential(),
    new azcred.ChainedTokenCredential(new azcred.EnvironmentCredential()),
  ];
  for (const credential of credentials) {
    assert.equal(credential.getToken, getToken);
    assert.equal(credential.getToken.length, 2);
    assert.equal(credential.signRequest, undefined);
  }
});

test("what is printed of a credential is its class", () => {
  const credential = new azcred.ClientSecretCredential("tenant", "client", "canary-secret");
  assert.equal(util.inspect(credential), "ClientSecretCredential {}");
  const deep = util.inspect({ credential }, { showHidden: true, depth: 20, getters: true });
  assert.ok(!/canary|handle|External/.test(deep), deep);
  assert.equal(JSON.stringify(credential), "{}");
});

test("import, require and the types have the same names", async () => {
  const require = createRequire(import.meta.url);
  const required = require("azcred");
  const folder = path.dirname(require.resolve("azcred"));
  const files = ["index.d.ts", "applications.d.ts", "users.d.ts"];
  const types = files.map((name) => readFileSync(path.join(folder, name), "utf8")).join("");
  const declared = [...types.matchAll(/^export declare (?:class|const|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(required).sort());
  assert.deepEqual(Object.keys(azcred).sort(), Object.keys(required).sort());
  for (const [name, value] of Object.entries(azcred)) {
    assert.equal(value, required[name], name);
  }
  const commonJs = await run('console.log(typeof require("azcred").DefaultAzureCredential)', { type: "commonjs" });
  assert.deepEqual([commonJs.code, commonJs.output], [0, "function"]);
});

test("a due renewal hands out the live token at once and then the new one", async (t) => {
  // Renewal at half the life, with up to a tenth of jitter: 34 s give a token that lives 4 s beyond the allowance.
  const fake = await identityEndpoint(t, (_, count) => good({ life: count === 1 ? 34 : 86_400 }));
  const credential = new ManagedIdentityCredential();
  const first = await credential.getToken(SCOPE);
  assert.equal((await credential.getToken(SCOPE)).token, first.token);
  const deadline = Date.now() + 20_000;
  let token = first;
  while (token.token === first.token && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    token = await credential.getToken(SCOPE);
  }
  assert.notEqual(token.token, first.token);
  assert.equal(await credential.getToken(SCOPE), await credential.getToken(SCOPE));
  assert.equal(fake.requests.length, 2);
});
