// Asks one question through the Node door, and prints the answer: node probe.mjs CASE_AS_JSON.
import * as azcred from "azcred";

const CAMEL = { authority: "authorityHost" };
const camel = (name) => CAMEL[name] ?? name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

const question = JSON.parse(process.argv[2]);
const { tenant_id, client_id, client_secret, ...rest } = question.options ?? {};
const options = Object.fromEntries(Object.entries(rest).map(([name, value]) => [camel(name), value]));
try {
  const Class = azcred[question.credential];
  const credential =
    question.credential === "ClientSecretCredential"
      ? new Class(tenant_id, client_id, client_secret, options)
      : new Class({ ...options, ...(client_id === undefined ? {} : { clientId: client_id }) });
  const token = await credential.getToken(question.scopes ?? "https://storage.azure.com/.default", {
    tenantId: question.tenant_id,
    claims: question.claims,
  });
  console.log(JSON.stringify({ kind: "OK", message: "", source: token.provenance.source }));
} catch (error) {
  console.log(JSON.stringify({ kind: error.code, message: error.message }));
}
