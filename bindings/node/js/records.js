"use strict";

/** Who signed in: the record of an account, as a text that programs keep. */

const native = require("./binding.js");
const { errorOf } = require("./errors.js");

/** A record's JSON text; anything that is no object is left for native code to refuse. */
function written(record) {
  if (typeof record !== "object") {
    return record;
  }
  const { authority, homeAccountId, clientId, tenantId, username } = record;
  return JSON.stringify({ version: "1.0", authority, homeAccountId, clientId, tenantId, username });
}

function read(text, above) {
  if (typeof text !== "string") {
    throw errorOf({ kind: "INVALID_ARGUMENT", message: `${above.name}: expected text, got ${typeof text}` }, above);
  }
  const { record, error } = native.readRecord(text);
  if (error) {
    throw errorOf({ ...error, message: `${above.name}: ${error.message}` }, above);
  }
  return record;
}

function serializeAuthenticationRecord(record) {
  const text = record === null ? undefined : written(record);
  read(text, serializeAuthenticationRecord);
  return text;
}

function deserializeAuthenticationRecord(serializedRecord) {
  return read(serializedRecord, deserializeAuthenticationRecord);
}

module.exports = { deserializeAuthenticationRecord, serializeAuthenticationRecord, written };
