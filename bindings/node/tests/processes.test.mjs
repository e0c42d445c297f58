// Programs of several processes and threads: each process has a cache of its own, and nobody's end harms another.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { ManagedIdentityCredential } from "azcred";

import { good, identityEndpoint, run } from "./fake.mjs";
import { sockets } from "./sockets.mjs";

const ASKS = path.join(path.dirname(fileURLToPath(import.meta.url)), "asks.mjs");

/** A scope that nobody else asks for, and its resource. */
function fresh(name) {
  return { scope: `https://${name}.example/.default`, resource: `https://${name}.example` };
}

const READY = fresh("ready");

/** A process that listens. */
async function listening(child) {
  assert.equal((await once(child, "message"))[0], "listening");
  return child;
}

/** What a process answers. */
async function asked(child, question) {
  const answer = once(child, "message");
  child.send(question);
  return (await answer)[0];
}

/** Lets a process go; how it ends. */
async function released(child) {
  const end = once(child, "exit");
  child.disconnect();
  return await end;
}

/** A promise, and what keeps it. */
function promise() {
  let keep;
  const kept = new Promise((resolve) => {
    keep = resolve;
  });
  return [kept, keep];
}

/**
 * An endpoint that names its tokens by order, and holds the very first one back until `release` is called, or until it is
 * asked about `READY`.
 */
async function heldEndpoint(t) {
  const [arrival, arrived] = promise();
  const [released, release] = promise();
  const fake = await identityEndpoint(t, ({ query }, count) => {
    if (query.resource === READY.resource) {
      release();
    }
    arrived();
    return { ...good({ text: `token-${count}` }), after: count === 1 ? released : undefined };
  });
  return { ...fake, arrival, release };
}

test("a child gets a token of its own while its parent's flight is under way", async (t) => {
  const { scope } = fresh("fork-in-flight");
  const { arrival, release, requests } = await heldEndpoint(t);
  const mine = new ManagedIdentityCredential().getToken(scope);
  await arrival;
  const child = await listening(fork(ASKS, { execArgv: [], silent: true }));
  assert.equal(await asked(child, scope), "token-2");
  assert.equal(await asked(child, scope), "token-2");
  release();
  assert.equal((await mine).token, "token-1");
  assert.deepEqual(await released(child), [0, null]);
  assert.equal(requests.length, 2);
});

test("a child has none of its parent's sockets", { skip: process.platform !== "linux" }, async (t) => {
  await identityEndpoint(t);
  await new ManagedIdentityCredential().getToken(fresh("fork-sockets").scope);
  const child = await listening(fork(ASKS, { execArgv: [], silent: true }));
  const theirs = await asked(child, "sockets");
  const mine = sockets();
  assert.ok(mine.length > 0 && theirs.length > 0);
  assert.deepEqual(
    theirs.filter((socket) => mine.includes(socket)),
    [],
  );
  assert.deepEqual(await released(child), [0, null]);
});

test("the workers of a cluster ask once each, and one that replaces another asks for itself", async (t) => {
  const { scope } = fresh("cluster");
  const { arrival, release, requests } = await heldEndpoint(t);
  cluster.setupPrimary({ exec: ASKS, execArgv: [], silent: true });
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => listening(cluster.fork())));
  first.send(scope);
  await arrival;
  const tokens = await Promise.all([...others, ...others].map((worker) => asked(worker, scope)));
  assert.deepEqual(new Set(tokens), new Set(["token-2", "token-3"]));
  const end = once(first, "exit");
  first.process.kill("SIGKILL");
  assert.deepEqual(await end, [null, "SIGKILL"]);
  release();
  const successor = await listening(cluster.fork());
  assert.equal(await asked(successor, scope), "token-4");
  assert.deepEqual(await Promise.all([...others, successor].map(released)), Array(3).fill([0, null]));
  assert.equal(requests.length, 4);
});

test("processes that are started while flights are under way disturb none of them", async (t) => {
  const fake = await identityEndpoint(t, () => ({ ...good(), delay: 20 }));
  const { code, output } = await run(`
    import { spawn, spawnSync } from "node:child_process";
    import { ManagedIdentityCredential } from "azcred";
    const credential = new ManagedIdentityCredential();
    const statuses = [];
    for (let round = 0; round < 50; round += 1) {
      const waits = Array.from({ length: 4 }, (_, at) => credential.getToken("https://r" + round + "-" + at + "/.default"));
      statuses.push(spawnSync("true").status);
      statuses.push(await new Promise((resolve) => spawn("true").on("exit", resolve)));
      await Promise.all(waits);
    }
    console.log(statuses.length, statuses.filter((status) => status !== 0).length);
  `);
  assert.deepEqual([code, output], [0, "100 0"]);
  assert.equal(fake.requests.length, 200);
});

const ENDS = {
  "is terminated": "worker.terminate()",
  "ends its thread": "worker.postMessage('process.exit(3)')",
  throws: "worker.postMessage('throw new Error()')",
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`a worker thread that starts a flight and ${name} leaves it to the others`, async (t) => {
    const { scope } = fresh("worker");
    const { requests } = await heldEndpoint(t);
    const { code, signal, output } = await run(`
      import { Worker } from "node:worker_threads";
      const source = \`
        const { parentPort } = require("node:worker_threads");
        const { ManagedIdentityCredential } = require("azcred");
        parentPort.on("message", (code) => eval(code));
        new ManagedIdentityCredential().getToken("${scope}").then(({ token }) => parentPort.postMessage(token));
        parentPort.postMessage("waiting");
      \`;
      const heard = (worker, event) => new Promise((resolve) => worker.once(event, resolve));
      const started = async () => {
        const worker = new Worker(source, { eval: true, execArgv: [] });
        worker.on("error", () => {});
        await heard(worker, "message");
        return worker;
      };
      // The thread that loaded the library, and whose flight it is, is gone before the answer comes.
      const worker = await started();
      const other = await started();
      const end = heard(worker, "exit");
      ${end};
      await end;
      const { ManagedIdentityCredential } = await import("azcred");
      const credential = new ManagedIdentityCredential();
      const waiting = [credential.getToken("${scope}").then(({ token }) => token), heard(other, "message")];
      await credential.getToken("${READY.scope}");
      console.log(...(await Promise.all(waiting)));
      await other.terminate();
    `);
    assert.deepEqual([code, signal, output], [0, null, "token-1 token-1"]);
    assert.equal(requests.length, 2);
  });
}
