// Credentials that come and go; prints as JSON what the process held before and after.
// It runs with --expose-gc and a young generation that does not grow, where IDENTITY_ENDPOINT and IDENTITY_HEADER name an
// emulator.
// usage: leaks.mjs COUNT CLIENT_ID...

import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { AzureCliCredential, DefaultAzureCredential, ManagedIdentityCredential } from "azcred";

const SCOPE = "https://leaks.example/.default";
const [count, ...identities] = process.argv.slice(2);
const { signal } = new AbortController();

/** What the process holds, when the collector has been everywhere. */
async function held() {
  for (let at = 0; at < 5; at += 1) {
    globalThis.gc();
    await pause(20);
  }
  return {
    rss_kb: Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]),
    threads: readdirSync("/proc/self/task").length,
    descriptors: readdirSync("/proc/self/fd").length,
  };
}

/** One of a few identities, asked for a token that is in the cache. */
async function used(number) {
  await new ManagedIdentityCredential(identities[number % identities.length]).getToken(SCOPE);
}

/** An identity that nobody else has, which is never asked. */
function distinct(number) {
  new ManagedIdentityCredential(`client-${number}`);
  new DefaultAzureCredential({ managedIdentityClientId: `client-${number}` });
}

/** Calls that are wrong, and one that could be given up. */
async function failing() {
  try {
    new AzureCliCredential({ nonsense: 1 });
  } catch {}
  const credential = new ManagedIdentityCredential(identities[0]);
  await credential.getToken("bad scope").catch(() => {});
  await credential.getToken(SCOPE, { abortSignal: signal });
}

/** Does it often, after a tenth of that to warm up; each turn of the loop has a hundred. */
async function watch(once, count) {
  const warm = count / 10;
  const from = async (start, end) => {
    for (let number = start; number < end; number += 1) {
      await once(number);
      if (number % 100 === 0) {
        await new Promise(setImmediate);
      }
    }
  };
  await from(0, warm);
  const before = await held();
  const began = performance.now();
  await from(warm, warm + count);
  const after = await held();
  const pairs = Object.fromEntries(Object.keys(before).map((name) => [name, [before[name], after[name]]]));
  return { count, seconds: (performance.now() - began) / 1000, ...pairs };
}

const rounds = {
  used: await watch(used, Number(count)),
  distinct: await watch(distinct, Number(count) / 10),
  failing: await watch(failing, Number(count) / 10),
};
console.log(JSON.stringify(rounds));
