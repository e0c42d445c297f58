// A program that waits on a server that stalls, and reads other tokens meanwhile.
// The conversation on standard input and output is that of tests/python/test_herds.py.

import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import { ClientSecretCredential } from "azcred";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST, STALL } = process.env;
const [FIRST, DUE, LIVE, LATER] = ["first", "due", "live", "later"].map(
  (name) => `https://stall-${name}.example/.default`,
);

const SLOW_MS = 50;

const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, {
  authorityHost: AZURE_AUTHORITY_HOST,
  disableInstanceDiscovery: true,
  retryOptions: { maxRetries: 0 },
  readTimeout: 100,
});
const input = createInterface({ input: process.stdin });

/** How long a token takes, in milliseconds. */
async function read(scope) {
  const began = performance.now();
  await credential.getToken(scope);
  return performance.now() - began;
}

await read(DUE);
await read(LIVE);
console.log("held");
await once(input, "line");
let landed = false;
const waiting = read(FIRST).then(() => {
  landed = true;
});
await once(input, "line");
let slowest = await read(DUE); // starts a renewal, which stalls too
console.log("due");
await once(input, "line");
const first = await read(LATER);
const end = performance.now() + 1000 * Number(STALL);
let reads = 0;
let slow = 0;
while (performance.now() < end) {
  const took = await read([DUE, LIVE, LATER][reads % 3]);
  slowest = Math.max(slowest, took);
  slow += took >= SLOW_MS ? 1 : 0;
  reads += 1;
  await pause(5);
}
if (landed) {
  throw new Error("the flight was not held up");
}
console.log(JSON.stringify({ reads, slow, slowest_ms: slowest, first_ms: first }));
await waiting;
console.log("landed");
input.close();
