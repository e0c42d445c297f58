// Goes through the cases of `test_node_differential.py`: `node differential.mjs MODULE STAGE`, where MODULE is
// @azure/identity or azcred. Prints what came of each, and what the emulator was asked meanwhile, as a line of JSON.

import { readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const [name, file] = process.argv.slice(2);
const library = await import(name);
const { ready, cases } = JSON.parse(readFileSync(file, "utf8"));

async function admin(method, path, body) {
  const answer = await fetch(ready.admin + path, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the emulator refuses ${path}: ${await answer.text()}`);
  return answer.json();
}

/** What stands for things that JSON has no words for: an object with one name, which starts with `$`. */
const STAND_INS = {
  /** A function that gives a text. */
  $gives: (text) => async () => text,
  /** A function that throws. */
  $throws: (message) => async () => {
    throw new TypeError(message);
  },
  /** What shows a code; the user then does that with it. */
  $prompt:
    (action) =>
    async ({ userCode }) => {
      if (action) await admin("POST", "/devicecode", { user_code: userCode, action });
    },
  /** The code that a client's user brings. */
  $code: async (clientId) => {
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: "code",
      redirect_uri: "http://localhost:5000",
      scope: "https://code.example/.default openid offline_access",
      state: "state",
    });
    const address = `${ready.https}/${ready.tenant_id}/oauth2/v2.0/authorize?${query}`;
    const answer = await fetch(address, { redirect: "manual" });
    return new URL(answer.headers.get("location")).searchParams.get("code");
  },
  $text: (path) => readFileSync(path, "utf8"),
  /** A credential in a chain. */
  $credential: ([type, ...args]) => new library[type](...args),
};

async function real(value) {
  if (Array.isArray(value)) return Promise.all(value.map(real));
  if (typeof value !== "object" || value === null) return value;
  const [[key, first] = [], ...others] = Object.entries(value);
  if (others.length === 0 && key in STAND_INS) return STAND_INS[key](await real(first));
  const entries = Object.entries(value).map(async ([name, one]) => [name, await real(one)]);
  return Object.fromEntries(await Promise.all(entries));
}

const decoded = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

function told(error) {
  const { name, code, message, errors, errorResponse, attempts } = error;
  return {
    name,
    code,
    message,
    provider: errorResponse?.error,
    errors: errors?.map(told),
    members: attempts?.map(({ credential }) => credential),
  };
}

/** One thing that the program does with its credential; the last one's result is the case's. */
const STEPS = {
  token: async (made, { scopes, request }) => tokenOf(await made.credential.getToken(scopes, request)),
  provider: async (made, { scopes }) => {
    const provide = library.getBearerTokenProvider(made.credential, scopes);
    await provide();
    return { claims: decoded(await provide()) };
  },
  authenticate: async (made, { scopes, request }) => {
    made.record = await made.credential.authenticate(scopes ?? undefined, request);
    const text = library.serializeAuthenticationRecord(made.record);
    return { record: library.deserializeAuthenticationRecord(text) };
  },
  /** The same again, with the record of who signed in; `as` changes it. */
  again: async (made, { as = {} }) => {
    const [options] = made.args.slice(-1);
    const authenticationRecord = { ...made.record, ...as };
    made.credential = new made.type(...made.args.slice(0, -1), { ...options, authenticationRecord });
  },
  admin: async (_, { path, body }) => void (await admin("POST", path, body)),
};

function tokenOf({ token, expiresOnTimestamp, tokenType }) {
  return { claims: decoded(token), lives: expiresOnTimestamp - Date.now(), tokenType };
}

async function outcome(given) {
  const type = library[given.credential];
  const made = { type, args: await real(given.args) };
  await admin("DELETE", "/faults");
  await admin("DELETE", "/requests");
  for (const fault of given.faults) await admin("POST", "/faults", fault);
  let result;
  try {
    made.credential = new type(...made.args);
    for (const step of given.steps) result = await STEPS[step.does](made, { scopes: given.scopes, ...step });
    return result;
  } catch (error) {
    return { error: told(error), early: made.credential === undefined };
  }
}

/** Has exactly these variables besides its own while `give` runs. */
async function within(variables, give) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await give();
  } finally {
    for (const name of Object.keys(variables)) {
      if (name in before) process.env[name] = before[name];
      else delete process.env[name];
    }
  }
}

/** In a thread of its own: MSAL keeps the first host that it found for as long as its module lives. */
function isolated(given) {
  const env = { ...process.env, ...given.env };
  // @azure/identity checks Service Fabric's certificate as any other, and knows no thumbprint.
  if ("IDENTITY_SERVER_THUMBPRINT" in given.env) env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), env, workerData: given });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

/** The identity of a host may answer, which MSAL looks for once. azcred reads variables that only the main thread sets. */
const needsThread = (given) => name !== "azcred" && /ManagedIdentity|DefaultAzure|Chained/.test(given.credential);

if (isMainThread) {
  for (const given of cases) {
    const started = Date.now();
    const came = await (needsThread(given) ? isolated(given) : within(given.env, () => outcome(given)));
    const { requests } = await admin("GET", "/requests");
    console.log(JSON.stringify({ name: given.name, took: Date.now() - started, ...came, requests }));
  }
} else {
  parentPort.postMessage(await outcome(workerData));
}
// What still listens for a browser must not keep the program.
process.exit(0);
