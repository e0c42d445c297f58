// What `@azure/identity` exports: what is here, and what stays out.

import assert from "node:assert/strict";
import test from "node:test";

import * as peer from "@azure/identity";
import * as azcred from "azcred";

/** They stay out, and why. */
const NEVER = {
  logger: "@azure/logger's, and this package has no dependencies",
  useIdentityPlugin: "plugins of @azure/identity hook into MSAL, which is not here",
};

test("every name of @azure/identity is here, or left out for a reason", () => {
  const missing = Object.keys(peer).filter((name) => !(name in azcred));
  assert.deepEqual(missing.sort(), Object.keys(NEVER).sort());
});

test("names that are here are of the same kind", () => {
  for (const name of Object.keys(peer).filter((name) => name in azcred)) {
    assert.equal(typeof azcred[name], typeof peer[name], name);
    assert.equal(Boolean(azcred[name].prototype), Boolean(peer[name].prototype), name);
    if (typeof peer[name] === "string") {
      assert.equal(azcred[name], peer[name]);
    }
  }
  assert.deepEqual({ ...azcred.AzureAuthorityHosts }, { ...peer.AzureAuthorityHosts });
});
