/**
 * 200 callers when a renewal is due: renewal.mjs CONTESTANT. Prints a line when the token is there, waits for one, then
 * asks; prints what the caller that waited longest waited.
 */

import { once } from "node:events";
import { asking, STORAGE } from "./contestants.mjs";

const CALLERS = 200;

const ask = await asking(process.argv[2]);
await ask(STORAGE);
console.log("warm");
const told = once(process.stdin, "data");
const ended = once(process.stdin, "end");
await told;
const call = async () => {
  const begun = process.hrtime.bigint();
  await ask(STORAGE);
  return Number(process.hrtime.bigint() - begun) / 1e9;
};
const waits = await Promise.all(Array.from({ length: CALLERS }, call));
console.log(JSON.stringify({ seconds: Math.max(...waits) }));
// The renewal is on its way meanwhile.
await ended;
