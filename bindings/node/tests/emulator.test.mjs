// The same package against the emulator.

import assert from "node:assert/strict";
import test from "node:test";

import * as azcred from "azcred";

import { admin, emulator, options, scope } from "./emulator.mjs";
import { SCOPE, environment, rejection } from "./fake.mjs";

test("App Service", options, async (t) => {
  environment(t, { IDENTITY_ENDPOINT: emulator.identity_endpoint, IDENTITY_HEADER: emulator.identity_header });
  const { provenance, token } = await new azcred.ManagedIdentityCredential().getToken(scope("app"));
  assert.equal(provenance.source, "app_service");
  assert.equal(token.split(".").length, 3);
});

test("IMDS", options, async (t) => {
  environment(t, { AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.imds });
  const token = await new azcred.ManagedIdentityCredential().getToken(SCOPE);
  assert.equal(token.provenance.source, "imds");
});

test("the default chain stays with the member that answers", options, async (t) => {
  environment(t, { AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.imds });
  const credential = new azcred.DefaultAzureCredential();
  assert.equal((await credential.getToken(scope("chain"))).provenance.credential, "ManagedIdentityCredential");
});

test("Entra ID, with its own certificate authority", options, async (t) => {
  environment(t, { SSL_CERT_FILE: emulator.ca_file });
  const { tenant_id, client_id, client_secret, https } = emulator;
  const entra = { authorityHost: https, disableInstanceDiscovery: true };
  const credential = new azcred.ClientSecretCredential(tenant_id, client_id, client_secret, entra);
  const token = await credential.getToken(SCOPE);
  assert.deepEqual(
    { ...token.provenance },
    {
      credential: "ClientSecretCredential",
      source: "entra",
      tenantId: tenant_id,
      clientId: client_id,
      cacheLevel: "source",
    },
  );

  environment(t, { AZURE_TENANT_ID: tenant_id, AZURE_CLIENT_ID: client_id, AZURE_CLIENT_SECRET: client_secret });
  assert.ok((await new azcred.EnvironmentCredential(entra).getToken(SCOPE)).token);

  const wrong = new azcred.ClientSecretCredential(tenant_id, client_id, "canary", entra);
  const error = await rejection(wrong.getToken(SCOPE));
  assert.deepEqual([error.name, error.code, error.providerCode], ["AuthenticationError", "FAILED", "invalid_client"]);
  assert.match(error.message, /AADSTS\d+/);
  assert.ok(error.correlationId && error.statusCode >= 400);
  assert.ok(!JSON.stringify([error.message, error.stack, error]).includes("canary"));
});

test("faults become errors of their kinds", options, async (t) => {
  environment(t, { IDENTITY_ENDPOINT: emulator.identity_endpoint, IDENTITY_HEADER: emulator.identity_header });
  t.after(() => admin("DELETE", "faults"));
  const credential = new azcred.ManagedIdentityCredential();
  const faulty = async (name, fault, options) => {
    await admin("DELETE", "faults");
    await admin("POST", "faults", { endpoint: "app_service", ...fault });
    return rejection(credential.getToken(scope(name), options));
  };
  const expired = await faulty("expired", { mode: "expired_token", count: 10 });
  assert.deepEqual([expired.name, expired.code], ["AuthenticationError", "TRANSIENT"]);
  const garbage = await faulty("garbage", { mode: "respond", status: 200, body: "<html>", count: 10 });
  assert.deepEqual([garbage.name, garbage.code], ["AuthenticationError", "TRANSIENT"]);
  const hang = await faulty("hang", { mode: "hang", count: 1 }, { requestOptions: { timeout: 200 } });
  assert.deepEqual([hang.name, hang.code], ["TimeoutError", "TIMED_OUT"]);
});
