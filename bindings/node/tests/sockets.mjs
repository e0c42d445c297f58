// What a process has open, on Linux.

import { readdirSync, readlinkSync } from "node:fs";

/** The sockets of this process. */
export function sockets() {
  const links = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return ""; // the one that listed them
    }
  });
  return links.filter((link) => link.startsWith("socket:"));
}
