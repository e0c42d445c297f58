// Credentials that are not this package's in its chains, and this package's behind a Proxy.

import assert from "node:assert/strict";
import test from "node:test";
import util from "node:util";

import * as peer from "@azure/identity";
import * as azcred from "azcred";

import { SCOPE, good, identityEndpoint, rejection, run } from "./fake.mjs";

const { ChainedTokenCredential, EnvironmentCredential, ManagedIdentityCredential } = azcred;

/** A credential of a program's own: `answer` is called for each token. */
class Theirs {
  calls = [];

  constructor(answer = () => ({ token: `theirs-${this.calls.length}`, expiresOnTimestamp: Date.now() + 3_600_000 })) {
    this.answer = answer;
  }

  async getToken(scopes, options) {
    this.calls.push({ scopes, options });
    return this.answer();
  }
}

function failing(name, message, details = {}) {
  return new Theirs(() => {
    throw Object.assign(new Error(message), { name, ...details });
  });
}

test("an object with getToken is a member, asked once for all who wait", async () => {
  const theirs = new Theirs();
  const chain = new ChainedTokenCredential(new EnvironmentCredential(), theirs);
  const before = Date.now();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => chain.getToken(SCOPE)));
  assert.deepEqual([new Set(tokens.map(({ token }) => token)).size, theirs.calls.length], [1, 1]);
  assert.deepEqual(theirs.calls[0], { scopes: [SCOPE], options: {} });
  const { token, expiresOnTimestamp, provenance } = await chain.getToken(SCOPE);
  assert.equal(token, "theirs-1");
  assert.ok(Math.abs(expiresOnTimestamp - before - 3_600_000) < 5000);
  assert.deepEqual([provenance.credential, provenance.source], ["Theirs", "foreign"]);
  // The same object is the same member, in another chain too.
  await new ChainedTokenCredential(new EnvironmentCredential(), theirs).getToken(SCOPE);
  assert.equal(theirs.calls.length, 1);
  await new ChainedTokenCredential(new EnvironmentCredential(), new Theirs()).getToken(SCOPE);
  assert.equal(theirs.calls.length, 1);
});

test("it is told what the call wishes", async () => {
  const theirs = new Theirs();
  const chain = new ChainedTokenCredential(theirs);
  const options = { tenantId: "t.example", claims: '{"a":1}', enableCae: true };
  await chain.getToken(["s1", "s2"], { ...options, abortSignal: AbortSignal.timeout(60_000), tracingOptions: {} });
  assert.deepEqual(theirs.calls, [{ scopes: ["s1", "s2"], options }]);
  await chain.getToken(["s1", "s2"], { tenantId: "t.example", enableCae: true });
  await chain.getToken(["s1", "s2"]);
  assert.deepEqual(theirs.calls.slice(1), [{ scopes: ["s1", "s2"], options: {} }]);
});

test("a token that is refused or due is asked for again", async () => {
  const theirs = new Theirs();
  const chain = new ChainedTokenCredential(theirs);
  const first = await chain.getToken(SCOPE);
  assert.equal(chain.reject(first), true);
  assert.equal((await chain.getToken(SCOPE)).token, "theirs-2");
  const now = Date.now();
  const times = { expiresOnTimestamp: now + 7_200_000, refreshAfterTimestamp: now + 60_000 };
  const due = new Theirs(() => ({ token: "due", ...times }));
  const { refreshAfterTimestamp } = await new ChainedTokenCredential(due).getToken(SCOPE);
  assert.ok(refreshAfterTimestamp > now && refreshAfterTimestamp <= now + 60_000);
});

test("who is not there is passed over", async () => {
  for (const absent of [
    new Theirs(() => null),
    new Theirs(() => undefined),
    new Theirs(() => ({ token: "x", expiresOnTimestamp: Number.NaN })),
    new Theirs(() => ({ token: "old", expiresOnTimestamp: 5 })),
    failing("CredentialUnavailableError", "not here"),
    failing("AuthenticationRequiredError", "sign in"),
    failing("AggregateAuthenticationError", "nobody", { code: "UNAVAILABLE" }),
    new peer.EnvironmentCredential(),
  ]) {
    const chain = new ChainedTokenCredential(absent, new Theirs());
    assert.equal((await chain.getToken(SCOPE)).token, "theirs-1");
  }
});

test("who was refused stops the chain, in its own words", async () => {
  for (const [member, code, words] of [
    [
      failing("AuthenticationError", "invalid_client:\n\tno"),
      "FAILED",
      "Theirs: AuthenticationError: invalid_client: no",
    ],
    [failing("Error", "busy", { code: "TRANSIENT" }), "TRANSIENT", "Theirs: Error: busy"],
    [{ getToken: () => Promise.reject(new RangeError("odd")) }, "FAILED", "TokenCredential: RangeError: odd"],
    [
      new Theirs(() => {
        throw "a text";
      }),
      "FAILED",
      "Theirs: a text",
    ],
  ]) {
    const error = await rejection(new ChainedTokenCredential(new EnvironmentCredential(), member).getToken(SCOPE));
    assert.deepEqual([error.name, error.code, error.errors.length], ["AggregateAuthenticationError", code, 2]);
    assert.deepEqual([error.errors[1].name, error.errors[1].message], ["AuthenticationError", words]);
    assert.deepEqual(error.attempts[1], { credential: words.split(":")[0], kind: code, message: words });
    assert.ok(error.message.includes(`\n\t${words}`), error.message);
  }
});

test("a class with a getToken of its own is asked by it", async (t) => {
  const fake = await identityEndpoint(t, () => good({ text: "real" }));
  class Traced extends ManagedIdentityCredential {
    calls = 0;

    getToken(...all) {
      this.calls += 1;
      return super.getToken(...all);
    }
  }
  const traced = new Traced();
  const { token } = await new ChainedTokenCredential(traced).getToken(SCOPE);
  assert.deepEqual([token, traced.calls, fake.requests.length], ["real", 1, 1]);
});

test("a member of this package works in a chain of @azure/identity", async (t) => {
  await identityEndpoint(t, () => good({ text: "real" }));
  const chain = new peer.ChainedTokenCredential(new EnvironmentCredential(), new ManagedIdentityCredential());
  assert.equal((await chain.getToken(SCOPE)).token, "real");
});

test("a Proxy of a credential is one", async (t) => {
  await identityEndpoint(t, () => good({ text: "real" }));
  let looks = 0;
  const seen = new Proxy(new ManagedIdentityCredential({ clientId: "proxied" }), {
    get(target, name, receiver) {
      looks += 1;
      return Reflect.get(target, name, receiver);
    },
  });
  assert.equal((await seen.getToken(SCOPE)).token, "real");
  assert.equal(await seen.getToken(SCOPE), await seen.getToken([SCOPE]));
  assert.equal(seen.statistics().flights, 1);
  assert.equal(seen.reject("another"), false);
  const before = looks;
  assert.equal((await new ChainedTokenCredential(seen).getToken(SCOPE)).token, "real");
  assert.ok(looks > before, "the chain asks the Proxy");
  const signer = new Proxy(new azcred.DeviceCodeCredential(), {});
  const aborted = await rejection(signer.authenticate(SCOPE, { abortSignal: AbortSignal.abort() }));
  assert.equal(aborted.name, "AbortError");
  assert.ok(!util.inspect(new ManagedIdentityCredential()).includes("azcred.self"));
});

test("chains and their members keep each other only as long as the program does", async () => {
  const { code, output } = await run(
    `
    import { ChainedTokenCredential } from "azcred";
    const kept = [];
    const use = async (at) => {
      const member = { ballast: new Array(1000), async getToken() {
        return { token: "t" + this.ballast.length, expiresOnTimestamp: Date.now() + 3600000 };
      } };
      member.chain = new ChainedTokenCredential(member);
      await member.chain.getToken("x" + at);
      kept.push(new WeakRef(member));
    };
    for (let at = 0; at < 20; at += 1) {
      await use(at);
    }
    // The other way round: the chain is all that holds its member.
    const chain = new ChainedTokenCredential({ async getToken() {
      return { token: "held", expiresOnTimestamp: Date.now() + 3600000 };
    } });
    for (let at = 0; at < 5; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      globalThis.gc();
    }
    const { token } = await chain.getToken("x");
    console.log(kept.filter((member) => member.deref()).length, token);
  `,
    { args: ["--expose-gc"] },
  );
  assert.deepEqual([code, output], [0, "0 held"]);
});
