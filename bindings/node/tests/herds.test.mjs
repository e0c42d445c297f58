// Many callers at once: those who come first, and those who all fail.

import assert from "node:assert/strict";
import test from "node:test";

import { ClientSecretCredential, ManagedIdentityCredential } from "azcred";

import { admin, asked, emulator, options, requests, scope } from "./emulator.mjs";
import { environment, rejection, run } from "./fake.mjs";

const MANY = 1000;
const FAILING = 200;
const WORKERS = 8;

/** Makes this process an App Service worker whose endpoint takes its time over the first answer. */
async function appService(t) {
  environment(t, { IDENTITY_ENDPOINT: emulator.identity_endpoint, IDENTITY_HEADER: emulator.identity_header });
  t.after(() => admin("DELETE", "faults"));
  await admin("POST", "faults", { endpoint: "app_service", latency_ms: 300, count: 1 });
}

test("a thousand promises are one request and one object", options, async (t) => {
  await appService(t);
  const credential = new ManagedIdentityCredential();
  const count = await requests("app_service", async () => {
    const tokens = await Promise.all(Array.from({ length: MANY }, () => credential.getToken(scope("promises"))));
    assert.equal(new Set(tokens).size, 1);
  });
  assert.equal(count, 1);
});

test("a thousand promises of eight worker threads are one request", options, async (t) => {
  await appService(t);
  const script = `
    import { Worker } from "node:worker_threads";
    const source = \`
      const { parentPort } = require("node:worker_threads");
      const { ManagedIdentityCredential } = require("azcred");
      const credential = new ManagedIdentityCredential();
      const ask = () => credential.getToken("${scope("workers")}");
      parentPort.once("message", async () => {
        const tokens = await Promise.all(Array.from({ length: ${MANY / WORKERS} }, ask));
        parentPort.postMessage([...new Set(tokens.map(({ token }) => token))]);
      });
      parentPort.postMessage("ready");
    \`;
    const workers = Array.from({ length: ${WORKERS} }, () => new Worker(source, { eval: true, execArgv: [] }));
    const all = (event) => Promise.all(workers.map((worker) => new Promise((resolve) => worker.once(event, resolve))));
    const ended = all("exit");
    await all("message");
    const answered = all("message");
    for (const worker of workers) worker.postMessage("go");
    console.log(JSON.stringify([(await answered).flat(), await ended]));
  `;
  const count = await requests("app_service", async () => {
    const { code, output } = await run(script);
    assert.equal(code, 0, output);
    const [tokens, ends] = JSON.parse(output);
    assert.equal(tokens.length, WORKERS);
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(ends, Array(WORKERS).fill(0));
  });
  assert.equal(count, 1);
});

test("two hundred promises fail together", options, async (t) => {
  environment(t, { SSL_CERT_FILE: emulator.ca_file });
  t.after(() => admin("DELETE", "faults"));
  const { tenant_id, client_id, client_secret, https } = emulator;
  const credential = new ClientSecretCredential(tenant_id, client_id, client_secret, {
    authorityHost: https,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
  });
  // As in tests/python/test_herds.py: all fail within 1.1 s, in the best of three herds; each is one flight.
  const slowest = [];
  do {
    // The way to the server is open before the herd comes.
    await credential.getToken(scope(`before-${slowest.length}`));
    await admin("POST", "faults", { endpoint: "entra_token", latency_ms: 1000, status: 500, count: 1 });
    const failing = scope(`failing-${slowest.length}`);
    const began = performance.now();
    const ask = () => rejection(credential.getToken(failing));
    const errors = await Promise.all(Array.from({ length: FAILING }, ask));
    slowest.push(performance.now() - began);
    assert.deepEqual([...new Set(errors.map(({ code, statusCode }) => `${code} ${statusCode}`))], ["TRANSIENT 500"]);
    assert.deepEqual(await asked(failing), [500]);
    assert.ok(slowest.at(-1) >= 1000);
  } while (slowest.at(-1) > 1100 && slowest.length < 3);
  assert.ok(slowest.at(-1) <= 1100, `the slowest callers failed after ${slowest} ms`);
});
