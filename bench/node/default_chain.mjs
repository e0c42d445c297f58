/** What the default chain takes to say no, and to say it again: default_chain.mjs LIBRARY. Prints seconds. */

import { asking, STORAGE } from "./contestants.mjs";

/** Seconds: who needs more for the first no is not asked again. */
const PATIENCE = 5;

const ask = await asking(`${process.argv[2]}/default_chain`);

async function refusal() {
  const begun = process.hrtime.bigint();
  const answer = await ask(STORAGE).catch(() => "refused");
  if (answer !== "refused") {
    throw new Error("somebody gave a token");
  }
  return Number(process.hrtime.bigint() - begun) / 1e9;
}

const found = { first: await refusal() };
if (found.first < PATIENCE) {
  found.second = await refusal();
}
console.log(JSON.stringify(found));
