"use strict";

/** Loads the native library of this platform, which lies beside this package's `js` folder. */

const { existsSync } = require("node:fs");
const path = require("node:path");

/** What a platform's libraries are built against; on Linux the first that loads is the right one. */
const LIBRARIES = { linux: ["-gnu", "-musl"], win32: ["-msvc"] };

function load() {
  const { platform, arch, version } = process;
  const folder = path.join(__dirname, "..");
  const names = (LIBRARIES[platform] ?? [""]).map((libc) => `azcred.${platform}-${arch}${libc}.node`);
  const here = `on ${platform}-${arch} with Node ${version}`;
  let last;
  for (const name of names.filter((name) => existsSync(path.join(folder, name)))) {
    try {
      return require(path.join(folder, name));
    } catch (error) {
      last = new Error(`azcred: ${name} could not be loaded ${here}: ${String(error?.message).split("\n", 1)}`, {
        cause: error,
      });
    }
  }
  throw last ?? new Error(`azcred: there is no native library ${here}: expected ${names.join(" or ")} in ${folder}`);
}

module.exports = load();
