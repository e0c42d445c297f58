// A process of its own that gets tokens for its parent, says what sockets it has, and ends when its parent lets it go.

import { ManagedIdentityCredential } from "azcred";

import { sockets } from "./sockets.mjs";

const credential = new ManagedIdentityCredential();

process.on("message", async (scope) => {
  if (scope === "sockets") {
    process.send(sockets());
  } else {
    process.send((await credential.getToken(scope)).token);
  }
});

// What comes before somebody listens is lost in a worker of a cluster.
process.send("listening");
