// The emulator that the tests run beside; AZCRED_EMULATOR holds the line it prints when it is ready.

import assert from "node:assert/strict";

export const emulator = JSON.parse(process.env.AZCRED_EMULATOR ?? "null");

/** What tests that need it say of themselves. */
export const options = { skip: emulator === null && "AZCRED_EMULATOR is not set" };

export async function admin(method, path, body) {
  const url = `${emulator.admin}/${path}`;
  const response = await fetch(url, {
    method,
    body: body && JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  const text = await response.text();
  return text && JSON.parse(text);
}

/** How many requests `call` leads to. */
export async function requests(endpoint, call) {
  const before = (await admin("GET", "counters")).by_endpoint[endpoint]?.requests ?? 0;
  await call();
  return ((await admin("GET", "counters")).by_endpoint[endpoint]?.requests ?? 0) - before;
}

/** The statuses of the requests for a scope. */
export async function asked(scope) {
  const { requests } = await admin("GET", "requests");
  return requests.filter(({ form }) => form.scope === scope).map(({ status }) => status);
}

/** A resource that no other test has asked for. */
export const scope = (name) => `https://${name}-${process.pid}.example/.default`;
