"use strict";

/**
 * Functions of the program's, as native code calls them: with a question and a handle for the reply.
 *
 * Native code holds what these give, and they hold the program's function weakly; the credential holds it. So a function
 * that leads back to its credential keeps neither alive.
 */

const native = require("./binding.js");

/** A function that gives a text, or a promise of it. Anything else is left for native code to refuse. */
function asked(given) {
  return called(given, (call) => call());
}

/** A function that shows a code. */
function told(given) {
  return called(given, async (call, { userCode, verificationUri, message }) => {
    await call({ userCode, verificationUri, message });
  });
}

function called(given, use) {
  if (typeof given !== "function") {
    return given;
  }
  const held = new WeakRef(given);
  return (question, handle) => {
    const answer = async () => {
      const call = held.deref();
      if (call === undefined) {
        throw new Error("its credential is gone");
      }
      return use((...all) => call(...all), question);
    };
    answer().then(
      (text) => native.reply(handle, ...reply(text)),
      (error) => native.reply(handle, undefined, sentence(error)),
    );
  };
}

/** The text, or what is there instead. */
function reply(text) {
  if (text === undefined || text === null) {
    return [undefined, undefined];
  }
  return typeof text === "string" ? [text, undefined] : [undefined, `it gave a value of type ${typeof text}`];
}

/** What was thrown, in one line: a name and a text, or the thing itself. */
function sentence(error) {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return text.split(/\s+/).join(" ").trim();
  } catch {
    return "it threw something that is no text";
  }
}

/** Options with one of them put through `change`, if it is there. */
function within(options, name, change) {
  const given = options?.[name];
  return given === undefined || given === null ? options : { ...options, [name]: change(given) };
}

module.exports = { asked, sentence, told, within };
