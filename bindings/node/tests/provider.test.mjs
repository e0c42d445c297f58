// Functions that give a token's text, and members that give none.

import assert from "node:assert/strict";
import test from "node:test";

import * as peer from "@azure/identity";
import * as azcred from "azcred";

import { SCOPE, environment, identityEndpoint, rejection, thrown } from "./fake.mjs";

const { getBearerTokenProvider, getDefaultAzureCredential, ManagedIdentityCredential } = azcred;

test("a provider gives the text of the credential's token", async (t) => {
  const { requests } = await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const provide = getBearerTokenProvider(credential, SCOPE);
  assert.equal(requests.length, 0, "making one asks nobody");
  const { token } = await credential.getToken(SCOPE);
  assert.equal(await provide(), token);
  assert.equal(await getBearerTokenProvider(credential, [SCOPE])(), token);
  assert.equal(requests.length, 1, "the credential's cache is the cache");
  // @azure/identity's takes our credentials too.
  assert.equal(await peer.getBearerTokenProvider(credential, SCOPE)(), token);
});

test("a provider asks any credential, with its options", async () => {
  const asked = [];
  const controller = new AbortController();
  const stranger = {
    getToken(...args) {
      asked.push(args);
      return Promise.resolve(asked.length < 3 ? { token: `t${asked.length}`, expiresOnTimestamp: 0 } : null);
    },
  };
  const provide = getBearerTokenProvider(stranger, [SCOPE], { abortSignal: controller.signal });
  assert.deepEqual([await provide(), await provide()], ["t1", "t2"]);
  assert.deepEqual(asked[0], [[SCOPE], { abortSignal: controller.signal, tracingOptions: undefined }]);
  const error = await rejection(provide());
  assert.equal(error.code, "UNAVAILABLE");
  assert.match(error.message, /^getBearerTokenProvider: the credential gave no token$/);
});

test("a provider refuses what is no credential, no scope, and callers who left", async () => {
  for (const wrong of [undefined, null, {}, "text", { getToken: true }]) {
    const error = thrown(() => getBearerTokenProvider(wrong, SCOPE));
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.equal(error.message, "getBearerTokenProvider: expected a credential with getToken");
  }
  for (const wrong of [undefined, null, "", []]) {
    const error = thrown(() => getBearerTokenProvider(new ManagedIdentityCredential(), wrong));
    assert.equal(error.message, "getBearerTokenProvider: expected at least one scope, got none");
  }
  const provide = getBearerTokenProvider(new ManagedIdentityCredential(), SCOPE, { abortSignal: AbortSignal.abort() });
  assert.equal((await rejection(provide())).name, "AbortError");
});

test("the default chain names the members that give no tokens", async (t) => {
  environment(t, { AZURE_TOKEN_CREDENTIALS: "dev", PATH: "/nonexistent" });
  const chain = getDefaultAzureCredential();
  assert.ok(chain instanceof azcred.DefaultAzureCredential);
  const error = await rejection(chain.getToken(SCOPE));
  assert.deepEqual(
    error.attempts.map(({ credential, kind }) => `${credential} ${kind}`),
    [
      "SharedTokenCacheCredential UNAVAILABLE",
      "VisualStudioCodeCredential UNAVAILABLE",
      "AzureCliCredential UNAVAILABLE",
      "AzurePowerShellCredential UNAVAILABLE",
      "AzureDeveloperCliCredential UNAVAILABLE",
      "BrokerCredential UNAVAILABLE",
    ],
  );
  const fewer = new azcred.DefaultAzureCredential({
    excludeSharedTokenCacheCredential: true,
    excludeVisualStudioCodeCredential: true,
    excludeBrokerCredential: true,
  });
  assert.equal((await rejection(fewer.getToken(SCOPE))).attempts.length, 3);
});

test("Visual Studio Code's credential is there, and unavailable", async () => {
  const credential = new azcred.VisualStudioCodeCredential({ tenantId: "t", additionallyAllowedTenants: ["*"] });
  const error = await rejection(credential.getToken(SCOPE));
  assert.equal(error.name, "CredentialUnavailableError");
  assert.match(error.message, /^VisualStudioCodeCredential: .*sign in with 'az login'/);
  assert.match(
    thrown(() => new azcred.VisualStudioCodeCredential({ tenantId: 5 })).message,
    /option tenantId: expected/,
  );
});
