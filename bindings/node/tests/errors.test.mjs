// Why tokens don't come: kinds, names, words.

import assert from "node:assert/strict";
import net from "node:net";
import test from "node:test";
import util from "node:util";

import * as azcred from "azcred";

import { SCOPE, environment, good, identityEndpoint, rejection, thrown } from "./fake.mjs";

const { ChainedTokenCredential, ClientSecretCredential, EnvironmentCredential, ManagedIdentityCredential } = azcred;

/** That an error has its kind, its name and its class, and a stack that begins here. */
function assertError(error, code, name) {
  assert.equal(error.code, code, util.inspect(error));
  assert.equal(error.name, name);
  assert.ok(error instanceof azcred.AzcredError && error instanceof Error);
  assert.ok(error instanceof azcred[name], name);
  assert.ok(Array.isArray(error.attempts));
  assert.ok(String(error.stack).startsWith(`${name}: `), error.stack);
  assert.match(firstFrame(error), /tests/);
}

/** Where an error's stack begins: the caller, not the package. */
function firstFrame(error) {
  return error.stack.split("\n").find((line) => line.startsWith("    at "));
}

function refused(call, pattern) {
  const error = thrown(call);
  assertError(error, "INVALID_CONFIGURATION", "InvalidConfigurationError");
  assert.match(error.message, pattern);
}

test("mistakes in options name the option and what was expected", () => {
  refused(() => new ManagedIdentityCredential({ clientID: "x" }), /unknown option clientID; it takes clientId/);
  refused(() => new ManagedIdentityCredential({ "a\u0000b": "x" }), /unknown option a\S+b; it takes clientId/);
  refused(() => new ManagedIdentityCredential(5), /option clientId: expected a string, got a whole number/);
  refused(() => new ManagedIdentityCredential(() => "id"), /option clientId: expected a string, got a function/);
  refused(() => new ManagedIdentityCredential(Symbol("id")), /option clientId: expected a string, got a symbol/);
  refused(() => new ManagedIdentityCredential(5n), /option clientId: expected a string, got a bigint/);
  refused(
    () => new ManagedIdentityCredential(Promise.resolve("id")),
    /options: expected a plain object, got an object of class Promise/,
  );
  refused(() => new ManagedIdentityCredential("id", { clientId: "other" }), /clientId is given twice/);
  refused(() => new ManagedIdentityCredential("id", "options"), /options: expected a plain object, got text/);
  refused(
    () => new ClientSecretCredential("t", "c", 424_242),
    /option clientSecret: expected a string, got a whole number/,
  );
  refused(
    () => new ClientSecretCredential("t", "c", Promise.resolve("s")),
    /option clientSecret: expected a string, got an object of class Promise/,
  );
  refused(() => new ClientSecretCredential("t", "c"), /clientSecret|client_secret/);
  refused(() => new ClientSecretCredential("t/x", "c", "s"), /option tenantId: malformed tenant/);
  refused(
    () => new ClientSecretCredential("t", "c", "s", { authorityHost: new URL("https://login.microsoftonline.com") }),
    /option authorityHost: expected a string, got an object of class URL/,
  );
  refused(
    () => new ClientSecretCredential("t", "c", "s", { additionallyAllowedTenants: "t2" }),
    /option additionallyAllowedTenants: expected a/,
  );
  refused(
    () => new azcred.AzureCliCredential({ processTimeoutInMs: "10" }),
    /option processTimeoutInMs: expected a number/,
  );
  refused(
    () => new azcred.AzureCliCredential({ processTimeoutInMs: -1 }),
    /option processTimeoutInMs: expected more than 0/,
  );
  refused(() => new azcred.DefaultAzureCredential([]), /options: expected a plain object, got a list/);
  refused(
    () => new azcred.DefaultAzureCredential({ excludeCliCredential: "yes" }),
    /option excludeCliCredential: expected/,
  );
});

test("a secret of the wrong type is not shown", () => {
  const error = thrown(() => new ClientSecretCredential("t", "c", { value: "canary" }));
  assert.ok(!util.inspect(error, { showHidden: true }).includes("canary"));
});

test("options of @azure/identity are accepted, or refused with the reason", () => {
  new ManagedIdentityCredential({ retryOptions: { maxRetries: 3 }, loggingOptions: {} });
  const circle = {};
  circle.circle = circle;
  refused(() => new ManagedIdentityCredential({ httpClient: circle }), /option httpClient is not supported: /);
  refused(
    () => new ClientSecretCredential("t", "c", "s", { proxyOptions: { host: "h", port: 0 } }),
    /option proxyOptions.port: expected a whole number from 1 to 65535/,
  );
});

test("undefined is no value, and null is none either", () => {
  new ManagedIdentityCredential(undefined, undefined);
  new ManagedIdentityCredential(null, null);
  new ManagedIdentityCredential({ clientId: undefined, objectId: null });
  new ClientSecretCredential("t", "c", "s", { authorityHost: undefined });
});

test("a getter that throws keeps its own error", async (t) => {
  await identityEndpoint(t);
  const own = new RangeError("mine");
  const options = {
    get tenantId() {
      throw own;
    },
  };
  assert.equal(
    thrown(() => new azcred.AzureCliCredential(options)),
    own,
  );
  assert.equal(await rejection(new ManagedIdentityCredential().getToken(SCOPE, options)), own);
});

test("mistakes in a call are rejections that name the argument", async (t) => {
  const fake = await identityEndpoint(t);
  const credential = new ManagedIdentityCredential();
  const cases = [
    [[undefined], /scopes: expected text or a list of texts, got nothing \(undefined\)/],
    [[null], /scopes: expected text or a list of texts, got nothing \(null\)/],
    [[5], /scopes: expected text or a list of texts, got a whole number/],
    [[[SCOPE, 5]], /scopes: expected text or a list of texts, got a list with a whole number/],
    [[{}], /scopes: expected text or a list of texts, got an object/],
    [[[]], /at least one scope/],
    [[""], /malformed scope ''/],
    [["two words"], /malformed scope 'two words'/],
    [["a\nb"], /malformed scope/],
    [[["https://a/.default", "https://b/.default"]], /ManagedIdentityCredential takes exactly one scope, got 2/],
    [[SCOPE, "https://b/.default"], /options: expected an object, got text/],
    [[SCOPE, { claims: {} }], /claims: expected a string, got an object/],
    [[SCOPE, { claims: "eyJ9" }], /claims: expected a JSON object/],
    [[SCOPE, { tenantId: 5 }], /tenantId: expected a string, got a whole number/],
    [[SCOPE, { tenantId: "a/b" }], /malformed tenant/],
    [[SCOPE, { enableCae: "yes" }], /enableCae: expected true or false, got text/],
    [[SCOPE, { minTtl: -1 }], /min_?ttl/i],
    [[SCOPE, { minTtl: 1.5 }], /minTtl: expected whole seconds from 0 on, got a number with a fraction/],
    [
      [SCOPE, { requestOptions: { timeout: "1" } }],
      /requestOptions.timeout: expected milliseconds from 0 on, got text/,
    ],
    [[SCOPE, { requestOptions: { timeout: -1 } }], /requestOptions.timeout: expected milliseconds from 0 on/],
    [[SCOPE, { requestOptions: { timeout: NaN } }], /requestOptions.timeout: expected milliseconds from 0 on/],
    [[SCOPE, { abortSignal: {} }], /abortSignal: expected an AbortSignal/],
    [[SCOPE, { abortSignal: 5 }], /abortSignal: expected an AbortSignal/],
  ];
  for (const [args, pattern] of cases) {
    const error = await rejection(credential.getToken(...args));
    assertError(error, "INVALID_ARGUMENT", "InvalidArgumentError");
    assert.match(error.message, pattern);
  }
  await credential.getToken(SCOPE, {
    requestOptions: { timeout: 0 },
    abortSignal: null,
    claims: null,
    tracingOptions: {},
  });
  assert.equal(fake.requests.length, 1);
});

test("a chain takes what has getToken", () => {
  const own = new EnvironmentCredential();
  refused(
    () => new ChainedTokenCredential(own, { getToken: "no" }),
    /argument 2: expected a credential, which has getToken, got another object/,
  );
  refused(() => new ChainedTokenCredential([own]), /argument 1: expected a credential, which/);
  refused(() => new ChainedTokenCredential(null), /argument 1: expected a credential, which has getToken, got null/);
  refused(() => new ChainedTokenCredential("x"), /argument 1: expected a credential, which has getToken, got string/);
  refused(() => new ChainedTokenCredential(), /at least one credential/);
});

test("a half-configured environment is unavailable and names what is missing", async (t) => {
  environment(t, { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t" });
  const error = await rejection(new EnvironmentCredential().getToken(SCOPE));
  assertError(error, "UNAVAILABLE", "CredentialUnavailableError");
  assert.match(error.message, /AZURE_CLIENT_SECRET missing \(set: AZURE_TENANT_ID, AZURE_CLIENT_ID\)/);
  assert.equal(error.name, azcred.CredentialUnavailableErrorName);
  assert.deepEqual(error.attempts, []);
});

test("a refusal is an AuthenticationError with the provider's words", async (t) => {
  const body = JSON.stringify({ error: "invalid_scope", error_description: "no such resource", canary: "canary" });
  const fake = await identityEndpoint(t, () => ({ status: 400, body }));
  const error = await rejection(new ManagedIdentityCredential().getToken(SCOPE));
  assertError(error, "FAILED", "AuthenticationError");
  assert.equal(error.statusCode, 400);
  assert.equal(error.providerCode, "invalid_scope");
  assert.equal(error.errorResponse.error, "invalid_scope");
  assert.equal(error.errorResponse.errorDescription, error.message);
  assert.ok(!util.inspect(error).includes("canary"));
  assert.ok(!util.inspect(error).includes("the-header-secret"));
  assert.equal(fake.requests.length, 1);
});

test("garbage and dead tokens are transient", async (t) => {
  for (const answer of [
    { body: "<html>" },
    { body: "{}" },
    { body: "" },
    good({ life: -60 }),
    good({ text: "a\u0000b" }),
  ]) {
    await t.test(JSON.stringify(answer.body).slice(0, 40), async (t) => {
      await identityEndpoint(t, () => answer);
      const error = await rejection(new ManagedIdentityCredential().getToken(SCOPE));
      assertError(error, "TRANSIENT", "AuthenticationError");
      assert.equal(error.errorResponse.error, error.providerCode ?? "unknown");
    });
  }
});

test("after a failure the next call that finds its cause gone succeeds", async (t) => {
  await identityEndpoint(t, (_, count) => (count === 1 ? { body: "<html>" } : good()));
  const credential = new ManagedIdentityCredential();
  await rejection(credential.getToken(SCOPE));
  const deadline = Date.now() + 6000;
  for (;;) {
    try {
      await credential.getToken(SCOPE);
      break;
    } catch (error) {
      assert.ok(Date.now() < deadline, error.message);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
});

test("an endpoint where nobody is home", async (t) => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${server.address().port}/msi/token`;
  await new Promise((resolve) => server.close(resolve));
  environment(t, { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: "h" });
  const error = await rejection(new ManagedIdentityCredential().getToken(SCOPE));
  assert.ok(["UNAVAILABLE", "TRANSIENT"].includes(error.code), util.inspect(error));
  assertError(error, error.code, error.code === "TRANSIENT" ? "AuthenticationError" : "CredentialUnavailableError");
});

test("a chain's report has every member's error, as data and as errors", async (t) => {
  await identityEndpoint(t, () => ({ status: 400, body: '{"error":"invalid_scope"}' }));
  const chain = new ChainedTokenCredential(new EnvironmentCredential(), new ManagedIdentityCredential());
  const error = await rejection(chain.getToken(SCOPE));
  assertError(error, "FAILED", "AggregateAuthenticationError");
  assert.equal(error.name, azcred.AggregateAuthenticationErrorName);
  assert.deepEqual(
    error.attempts.map(({ credential, kind }) => [credential, kind]),
    [
      ["EnvironmentCredential", "UNAVAILABLE"],
      ["ManagedIdentityCredential", "FAILED"],
    ],
  );
  assertError(error.errors[0], "UNAVAILABLE", "CredentialUnavailableError");
  assertError(error.errors[1], "FAILED", "AuthenticationError");
  assert.equal(error.errors[1].providerCode, "invalid_scope");
  assert.match(error.message, /\n\tEnvironmentCredential: .*\n\tManagedIdentityCredential: /);
});

test("a chain where nobody is available is an aggregate that is unavailable", async () => {
  const chain = new ChainedTokenCredential(new EnvironmentCredential(), new EnvironmentCredential());
  const error = await rejection(chain.getToken(SCOPE));
  assertError(error, "UNAVAILABLE", "AggregateAuthenticationError");
  assert.equal(error.errors.length, 2);
});

test("a chain goes on to the member that has a token", async (t) => {
  await identityEndpoint(t);
  const chain = new ChainedTokenCredential(
    new EnvironmentCredential(),
    new ChainedTokenCredential(new ManagedIdentityCredential()),
  );
  const { provenance } = await chain.getToken(SCOPE);
  assert.equal(provenance.credential, "ManagedIdentityCredential");
});

test("every class of error has its name, whatever a minifier does", () => {
  const classes = Object.entries(azcred).filter(([, value]) => value?.prototype instanceof Error);
  assert.equal(classes.length, 10);
  for (const [name, type] of classes) {
    assert.equal(type.prototype.name, name);
  }
  const own = new azcred.AuthenticationError("words", { code: "FAILED", providerCode: "p", cause: 5 });
  assert.deepEqual([own.code, own.providerCode, own.cause, own.errorResponse.error], ["FAILED", "p", 5, "p"]);
});
