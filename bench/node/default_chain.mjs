/** What the default chain takes to say no, and to say it again: default_chain.mjs LIBRARY. Prints seconds. */

import { asking, STORAGE } from "./contestants.mjs";

const ask = await asking(`${process.argv[2]}/default_chain`);

async function refusal() {
  const begun = process.hrtime.bigint();
  const answer = await ask(STORAGE).catch(() => "refused");
  if (answer !== "refused") {
    throw new Error("somebody gave a token");
  }
  return Number(process.hrtime.bigint() - begun) / 1e9;
}

console.log(JSON.stringify({ first: await refusal(), second: await refusal() }));
