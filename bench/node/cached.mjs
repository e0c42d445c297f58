/** How long awaiting one cached call takes: cached.mjs CONTESTANT. Prints seconds. */

import { asking, STORAGE } from "./contestants.mjs";

async function batch(ask, number) {
  const begun = process.hrtime.bigint();
  for (let at = 0; at < number; at += 1) {
    await ask(STORAGE);
  }
  return Number(process.hrtime.bigint() - begun) / 1e9 / number;
}

const ask = await asking(process.argv[2]);
await batch(ask, 50);
// The optimising compiler needs its time: half a second, then batches of some 20 ms; their median counts.
await batch(ask, Math.max(50, Math.floor(0.5 / (await batch(ask, 200)))));
const number = Math.max(20, Math.floor(0.02 / (await batch(ask, 200))));
const spans = [];
for (let at = 0; at < 9; at += 1) {
  spans.push(await batch(ask, number));
}
console.log(JSON.stringify({ seconds: spans.sort((one, other) => one - other)[4] }));
