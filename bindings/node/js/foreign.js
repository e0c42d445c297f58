"use strict";

/** Credentials of other packages, as members of a chain: native code asks them through a function. */

const native = require("./binding.js");
const { sentence } = require("./callables.js");

/** The handle of each for as long as it is there, so that it is the same member in every chain. */
const handles = new WeakMap();

/** The native handle of an object with `getToken`, or undefined for anything else. */
function handleOf(member) {
  const isObject = typeof member === "function" || (typeof member === "object" && member !== null);
  if (!isObject || typeof member.getToken !== "function") {
    return undefined;
  }
  if (!handles.has(member)) {
    const name = classOf(member);
    handles.set(member, native.foreign(name, asking(name, member)));
  }
  return handles.get(member);
}

/** What messages call it. */
function classOf(member) {
  const name = member.constructor?.name;
  return typeof name === "string" && name !== "" && name !== "Object" ? name : "TokenCredential";
}

/** As native code calls it: it holds this for as long as the handle is there, and this holds no member. */
function asking(name, member) {
  const held = new WeakRef(member);
  return (question, handle) => {
    ask(held, question).then((answer) => {
      native.answer(
        handle,
        answer.message === undefined ? answer : { ...answer, message: `${name}: ${answer.message}` },
      );
    });
  };
}

async function ask(held, { scopes, tenantId, claims, enableCae }) {
  const options = {};
  for (const [name, value] of Object.entries({ tenantId, claims, enableCae })) {
    if (value !== undefined && value !== null) {
      options[name] = value;
    }
  }
  try {
    const member = held.deref();
    return member === undefined ? unavailable("its chain is gone") : read(await member.getToken(scopes, options));
  } catch (error) {
    return { kind: kindOf(error), message: sentence(error) };
  }
}

/** A token as native code takes it. */
function read(token) {
  if (token === undefined || token === null) {
    return unavailable("it gave no token");
  }
  const { token: text, expiresOnTimestamp, refreshAfterTimestamp } = token;
  if (typeof text !== "string" || !Number.isFinite(expiresOnTimestamp)) {
    return unavailable("it gave something that is no token");
  }
  const refreshOn = Number.isFinite(refreshAfterTimestamp) ? refreshAfterTimestamp : undefined;
  return { token: text, expiresOn: expiresOnTimestamp, refreshOn };
}

function unavailable(message) {
  return { kind: "UNAVAILABLE", message };
}

/** By the names that `@azure/identity` compares, and by the codes of another copy of this package. */
function kindOf(error) {
  if (["CredentialUnavailableError", "AuthenticationRequiredError"].includes(error?.name)) {
    return "UNAVAILABLE";
  }
  return ["UNAVAILABLE", "TRANSIENT"].includes(error?.code) ? error.code : "FAILED";
}

module.exports = { handleOf };
