// Callers who leave early: signals and time-outs.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import test from "node:test";

import { AbortError, ManagedIdentityCredential, TimeoutError } from "azcred";

import { SCOPE, good, identityEndpoint, pause, rejection } from "./fake.mjs";

function listeners(signal) {
  return getEventListeners(signal, "abort").length;
}

test("a signal that was aborted before the call ends it at once", async (t) => {
  const fake = await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const error = await rejection(credential.getToken(SCOPE, { abortSignal: AbortSignal.abort() }));
  assert.ok(error instanceof AbortError);
  assert.deepEqual([error.name, error.code], ["AbortError", "CANCELLED"]);
  assert.equal(error.cause.name, "AbortError");
  assert.match(
    error.stack.split("\n").find((line) => line.startsWith("    at ")),
    /tests/,
  );
  await pause(50);
  assert.equal(fake.requests.length, 0);
});

test("an abort during the wait lets this caller go at once, and harms nobody", async (t) => {
  const fake = await identityEndpoint(t, () => ({ ...good(), delay: 400 }));
  const credential = new ManagedIdentityCredential();
  const controller = new AbortController();
  const stays = credential.getToken(SCOPE);
  const leaves = rejection(credential.getToken(SCOPE, { abortSignal: controller.signal }));
  await pause(100);
  const began = performance.now();
  controller.abort(new RangeError("enough"));
  const error = await leaves;
  assert.ok(performance.now() - began < 50);
  assert.deepEqual([error.name, error.code, error.cause.message], ["AbortError", "CANCELLED", "enough"]);
  assert.equal(listeners(controller.signal), 0);
  assert.ok((await stays).token);
  assert.equal(fake.requests.length, 1);
  assert.equal((await credential.getToken(SCOPE)).token, (await stays).token);
});

test("one signal for many calls gathers no listeners", async (t) => {
  const warnings = [];
  const warn = (warning) => warnings.push(warning);
  process.on("warning", warn);
  t.after(() => process.off("warning", warn));
  const answers = { bad: { body: "<html>" } };
  await identityEndpoint(t, ({ query }) => answers[query.resource] ?? good());
  const credential = new ManagedIdentityCredential();
  const { signal } = new AbortController();
  for (let at = 0; at < 30; at += 1) {
    await credential.getToken(`https://r${at}/.default`, { abortSignal: signal });
    assert.equal(listeners(signal), 0);
  }
  await rejection(credential.getToken("bad", { abortSignal: signal }));
  await rejection(credential.getToken("bad scope", { abortSignal: signal }));
  assert.equal(listeners(signal), 0);
  await pause(10);
  assert.deepEqual(warnings, []);
});

test("an abort after the answer changes nothing", async (t) => {
  await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const controller = new AbortController();
  const token = await credential.getToken(SCOPE, { abortSignal: controller.signal });
  controller.abort();
  assert.equal((await credential.getToken(SCOPE)).token, token.token);
});

test("AbortSignal.timeout works as a signal", async (t) => {
  await identityEndpoint(t, () => "hang");
  const error = await rejection(
    new ManagedIdentityCredential().getToken(SCOPE, { abortSignal: AbortSignal.timeout(50) }),
  );
  assert.deepEqual([error.name, error.code, error.cause.name], ["AbortError", "CANCELLED", "TimeoutError"]);
});

test("a time-out ends the wait with a TimeoutError", async (t) => {
  await identityEndpoint(t, () => "hang");
  const credential = new ManagedIdentityCredential();
  const began = performance.now();
  const error = await rejection(credential.getToken(SCOPE, { requestOptions: { timeout: 100 } }));
  const took = performance.now() - began;
  assert.ok(error instanceof TimeoutError);
  assert.deepEqual([error.name, error.code], ["TimeoutError", "TIMED_OUT"]);
  assert.match(error.message, /100 ms/);
  assert.match(
    error.stack.split("\n").find((line) => line.startsWith("    at ")),
    /tests/,
  );
  assert.ok(took >= 95 && took < 1000, `${took} ms`);
});

test("a signal that only works like one will do", async (t) => {
  await identityEndpoint(t, () => "hang");
  const held = new Set();
  const signal = {
    aborted: false,
    addEventListener: (_, listener) => held.add(listener),
    removeEventListener: (_, listener) => held.delete(listener),
  };
  const leaves = rejection(new ManagedIdentityCredential().getToken(SCOPE, { abortSignal: signal }));
  await pause(20);
  assert.equal(held.size, 1);
  for (const listener of held) {
    listener();
  }
  const error = await leaves;
  assert.deepEqual([error.name, "cause" in error], ["AbortError", false]);
  assert.equal(held.size, 0);
});
