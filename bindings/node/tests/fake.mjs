// An identity endpoint as App Service has it, and what the tests share.

import { spawn } from "node:child_process";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const SCOPE = "https://storage.azure.com/.default";

/** The variables that decide which credential is what. */
const VARIABLES = /^(AZURE_|AZCRED_(?!EMULATOR)|IDENTITY_|IMDS_|MSI_)/;

for (const name of Object.keys(process.env).filter((name) => VARIABLES.test(name))) {
  delete process.env[name];
}
process.env.AZCRED_SHARING = "off";

/** A good answer, with a token that no other answer has. */
export function good({ life = 86_400, text = `token-${unique()}`, extra = {} } = {}) {
  const expires_on = String(Math.floor(Date.now() / 1000) + life);
  return { body: JSON.stringify({ access_token: text, expires_on, resource: "r", token_type: "Bearer", ...extra }) };
}

let count = 0;

function unique() {
  count += 1;
  return `${process.pid}-${count}`;
}

/**
 * Serves `answer(request)` → `{ status, headers, body, delay, after }`, or `"hang"`; the environment names it until the
 * test ends. `after` is a promise that the answer waits for. `requests` holds what was asked.
 */
export async function identityEndpoint(t, answer = () => good()) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, "http://here");
    requests.push({ headers: request.headers, query: Object.fromEntries(url.searchParams) });
    const given = answer(requests.at(-1), requests.length);
    if (given === "hang") {
      return;
    }
    const { status = 200, headers = {}, body = "", delay = 0, after } = given;
    const send = () => setTimeout(() => response.writeHead(status, headers).end(body), delay);
    after ? after.then(send) : send();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/msi/token`;
  const variables = { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: "the-header-secret" };
  environment(t, variables);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { requests, url, variables };
}

/** Sets variables until the test ends. */
export function environment(t, variables) {
  Object.assign(process.env, variables);
  t.after(() => {
    for (const name of Object.keys(variables)) {
      delete process.env[name];
    }
  });
}

/** Runs a script in a Node of its own, in this folder, so that it finds the installed package. */
export function run(script, { args = [], type = "module" } = {}) {
  const command = [...args, `--input-type=${type}`, "-e", script];
  const child = spawn(process.execPath, command, {
    cwd: path.dirname(fileURLToPath(import.meta.url)),
    env: process.env,
  });
  const began = Date.now();
  const output = [];
  const keep = (data) => output.push(data);
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal, output: Buffer.concat(output).toString().trim(), ms: Date.now() - began });
    });
  });
}

/** What a promise is rejected with. */
export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

/** What a function throws. */
export function thrown(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("expected an error");
}

/** Until the clock says so. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
