// What the library does to the process around it: life, threads, memory.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";

import { ManagedIdentityCredential } from "azcred";

import { SCOPE, good, identityEndpoint, run, thrown } from "./fake.mjs";

const ASK = `
  import { ManagedIdentityCredential } from "azcred";
  const credential = new ManagedIdentityCredential();
  const ask = () => credential.getToken("${SCOPE}");
`;

test("import and construction start nothing, and an idle process ends by itself", async () => {
  const script = `
    const { readdirSync } = require("node:fs");
    const tasks = () => process.platform === "linux" ? readdirSync("/proc/self/task").length : 0;
    const before = tasks();
    const azcred = require("azcred");
    new azcred.DefaultAzureCredential();
    new azcred.ClientSecretCredential("t", "c", "s");
    console.log(tasks() - before);
  `;
  const { code, output } = await run(script, { type: "commonjs" });
  assert.deepEqual([code, output], [0, "0"]);
});

test("a platform without a library is named in one line, and so is a library that does not load", (t) => {
  const require = createRequire(import.meta.url);
  const folder = mkdtempSync(path.join(tmpdir(), "azcred-"));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(path.dirname(require.resolve("azcred")), path.join(folder, "js"), { recursive: true });
  const here = `on ${process.platform}-${process.arch} with Node ${process.version}`;
  const load = () => thrown(() => require(path.join(folder, "js/index.js"))).message;
  const missing = load();
  assert.ok(missing.startsWith(`azcred: there is no native library ${here}: expected azcred.`), missing);
  const [name] = /azcred\.\S+\.node/.exec(missing);
  writeFileSync(path.join(folder, name), "not a library");
  const damaged = load();
  assert.ok(damaged.startsWith(`azcred: ${name} could not be loaded ${here}: `), damaged);
  assert.ok(![missing, damaged].join().includes("\n"));
});

test("a process lives while a token is awaited, and ends after it", async (t) => {
  await identityEndpoint(t, () => ({ ...good({ text: "late" }), delay: 500 }));
  const { code, output, ms } = await run(`${ASK} ask().then(({ token }) => console.log(token));`);
  assert.deepEqual([code, output], [0, "late"]);
  assert.ok(ms >= 500 && ms < 5000, `${ms} ms`);
});

test("a process ends after an abort, though the fetch goes on", async (t) => {
  await identityEndpoint(t, () => "hang");
  const { code, output, ms } = await run(`${ASK}
    const error = await credential.getToken("${SCOPE}", { abortSignal: AbortSignal.timeout(50) }).catch((error) => error);
    console.log(error.name);
  `);
  assert.deepEqual([code, output], [0, "AbortError"]);
  assert.ok(ms < 5000, `${ms} ms`);
});

test("process.exit while a token is awaited is clean", async (t) => {
  await identityEndpoint(t, () => "hang");
  const { code, signal, output } = await run(`${ASK} ask(); setTimeout(() => process.exit(7), 50);`);
  assert.deepEqual([code, signal, output], [7, null, ""]);
});

test("a rejection that nobody handles is an ordinary one", async (t) => {
  await identityEndpoint(t, () => ({ body: "<html>" }));
  const { code, output } = await run(`${ASK} ask();`);
  assert.equal(code, 1);
  assert.match(output, /AuthenticationError: ManagedIdentityCredential/);
});

test("workers that end while they wait take nobody along", async (t) => {
  await identityEndpoint(t, () => ({ ...good({ text: "late" }), delay: 300 }));
  const { code, signal, output } = await run(`
    import { Worker } from "node:worker_threads";
    const source = \`
      const { parentPort } = require("node:worker_threads");
      const { ManagedIdentityCredential } = require("azcred");
      const credential = new ManagedIdentityCredential();
      for (let at = 0; at < 50; at += 1) credential.getToken("https://r" + at % 5 + "/.default");
      parentPort.postMessage("waiting");
    \`;
    for (let round = 0; round < 6; round += 1) {
      // The first rounds load the library in workers only: it must survive their end.
      const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true, execArgv: [] }));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
      await new Promise((resolve) => setTimeout(resolve, 60 * round));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    const { ManagedIdentityCredential } = await import("azcred");
    console.log((await new ManagedIdentityCredential().getToken("https://r0/.default")).token);
  `);
  assert.deepEqual([code, signal, output], [0, null, "late"]);
});

test("a thousand waits at once, each with a signal, are answered", async (t) => {
  const fake = await identityEndpoint(t, () => ({ ...good(), delay: 20 }));
  const credential = new ManagedIdentityCredential();
  const waits = Array.from({ length: 1000 }, (_, at) =>
    credential.getToken(`https://r${at % 10}/.default`, { abortSignal: new AbortController().signal }),
  );
  assert.equal(new Set((await Promise.all(waits)).map(({ token }) => token)).size, 10);
  assert.equal(fake.requests.length, 10);
});
