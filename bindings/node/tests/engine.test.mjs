// What a program sees of the cache engine at the Node door: refused tokens, renewals, and what happened so far.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";
import { Worker } from "node:worker_threads";

import * as azcred from "azcred";

import { SCOPE, good, identityEndpoint } from "./fake.mjs";

const { ManagedIdentityCredential } = azcred;

/** A credential of an identity that no other test has. */
function identity(number) {
  return new ManagedIdentityCredential(`00000000-0000-0000-0000-${String(number).padStart(12, "0")}`);
}

test("what happened is counted", async (t) => {
  await identityEndpoint(t, () => ({ ...good(), delay: 50 }));
  const credential = identity(1);
  const nothing = { hits: 0, misses: 0, waiters: 0, flights: 0, upstreamRequests: 0, failures: 0 };
  assert.deepEqual(credential.statistics(), nothing);
  await Promise.all(Array.from({ length: 8 }, () => credential.getToken(SCOPE)));
  assert.deepEqual(credential.statistics(), { ...nothing, misses: 8, waiters: 7, flights: 1, upstreamRequests: 1 });
  for (let call = 0; call < 10; call += 1) {
    await credential.getToken(SCOPE);
    await credential.getToken([SCOPE], { enableCae: true });
    await identity(1).getToken(SCOPE, { minTtl: 60 });
  }
  const { hits, misses, flights } = credential.statistics();
  assert.deepEqual({ hits, misses, flights }, { hits: 30, misses: 8, flights: 1 });
});

test("a refused token is replaced once, and the next object is another one", async (t) => {
  const fake = await identityEndpoint(t);
  const credential = identity(2);
  const first = await credential.getToken(SCOPE);
  assert.equal(await credential.getToken(SCOPE), first);
  assert.equal(credential.reject("no token of ours"), false);
  assert.equal(credential.reject(first), true);
  assert.equal(credential.reject(first.token), false, "once");
  const second = await credential.getToken(SCOPE);
  assert.notEqual(second.token, first.token);
  assert.equal(await credential.getToken([SCOPE]), second);
  assert.equal(credential.reject(first), false, "a late refusal takes no newer token away");
  assert.equal(await credential.getToken(SCOPE), second);
  assert.equal(fake.requests.length, 2);
  for (const wrong of [undefined, null, 7, {}]) {
    assert.throws(() => credential.reject(wrong), { name: "InvalidArgumentError" });
  }
});

test("the lease of an object is over when another call replaced its token", async (t) => {
  const lives = [40, 86_400];
  const fake = await identityEndpoint(t, (_, number) => good({ life: lives[number - 1] }));
  const credential = identity(3);
  const old = await credential.getToken(SCOPE);
  assert.equal(await credential.getToken(SCOPE), old);
  const longer = await identity(3).getToken(SCOPE, { minTtl: 3600 });
  assert.notEqual(longer.token, old.token);
  assert.equal((await credential.getToken(SCOPE)).token, longer.token);
  assert.equal(
    await credential.getToken(SCOPE),
    await credential.getToken([SCOPE]),
    "the same token is the same object",
  );
  assert.equal(fake.requests.length, 2);
});

test("what another thread replaced is replaced here too", async (t) => {
  const fake = await identityEndpoint(t);
  const credential = identity(4);
  const first = await credential.getToken(SCOPE);
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { ManagedIdentityCredential } = require(workerData.azcred);
    const credential = new ManagedIdentityCredential(workerData.id);
    credential.getToken(workerData.scope).then(async (token) => {
      const told = credential.reject(token);
      const next = await credential.getToken(workerData.scope);
      parentPort.postMessage([token.token, told, next.token]);
    });`;
  const id = `00000000-0000-0000-0000-${"4".padStart(12, "0")}`;
  const workerData = { azcred: createRequire(import.meta.url).resolve("azcred"), id, scope: SCOPE };
  const worker = new Worker(code, { eval: true, workerData });
  const [seen, told, next] = await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
  assert.deepEqual([seen, told], [first.token, true], "one cache for all threads");
  assert.equal((await credential.getToken(SCOPE)).token, next);
  assert.equal(fake.requests.length, 2);
});
