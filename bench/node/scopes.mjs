/** Cached calls with one scope in the cache, and with many: scopes.mjs CONTESTANT NUMBER. Prints seconds. */

import { asking, STORAGE } from "./contestants.mjs";

const seconds = (begun, calls) => Number(process.hrtime.bigint() - begun) / 1e9 / calls;

async function batch(ask, scopes, calls) {
  const begun = process.hrtime.bigint();
  for (let at = 0; at < calls; at += 1) {
    await ask(scopes[at % scopes.length]);
  }
  return seconds(begun, calls);
}

/** Batches of some 20 ms, after half a second for the optimising compiler; their median counts. */
async function measured(ask, scopes) {
  let spent = await batch(ask, scopes, 5);
  spent = await batch(ask, scopes, Math.max(5, Math.floor(0.5 / spent)));
  const calls = Math.max(5, Math.floor(0.02 / spent));
  const spans = [];
  for (let round = 0; round < 9; round += 1) {
    spans.push(await batch(ask, scopes, calls));
  }
  return spans.sort((one, other) => one - other)[4];
}

const ask = await asking(process.argv[2]);
const many = Array.from(
  { length: Number(process.argv[3]) - 1 },
  (_, at) => `https://resource-${at}.example.net/.default`,
);
await ask(STORAGE);
const one = await measured(ask, [STORAGE]);
const begun = process.hrtime.bigint();
for (const scope of many) {
  await ask(scope);
}
const filling = seconds(begun, many.length);
const found = { one, many: await measured(ask, many.slice(-1)), turn: await measured(ask, many), filling };
console.log(JSON.stringify(found));
