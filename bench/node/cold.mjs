/** 1,000 callers at once who find no token: cold.mjs CONTESTANT. Prints seconds until the last has one. */

import { setTimeout } from "node:timers/promises";
import { asking, STORAGE } from "./contestants.mjs";

const CALLERS = 1000;
/** What the server takes, in milliseconds; the floor's callers wait just that. */
const LATENCY = 50;

const name = process.argv[2];
let ask;
if (name.startsWith("floor")) {
  const shared = setTimeout(LATENCY, {});
  ask = () => shared;
} else {
  ask = await asking(name);
}
const begun = process.hrtime.bigint();
await Promise.all(Array.from({ length: CALLERS }, () => ask(STORAGE)));
console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begun) / 1e9 }));
