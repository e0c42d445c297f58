// The names of options: what `@azure/identity` declares, what this package declares, and what it takes.

import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import * as azcred from "azcred";
import ts from "typescript";

import { thrown } from "./fake.mjs";

/** They are not declared, and refused by name: a program relies on them. */
const REFUSED = [
  "additionalPolicies",
  "agent",
  "allowInsecureConnection",
  "httpClient",
  "redirectOptions",
  "requiredEnvVars",
  "tlsOptions",
];

/** They are for browsers' pages, where this package doesn't run: taken, and not declared. */
const IN_PAGES = ["loginStyle"];

/** Python's spellings, which work and need no declaration here. */
const PYTHONS = ["identityConfig", "proxies", "retryTotal", "clientCertificate", "useEnvSettings"];

/** Types that stay out: they are of what is refused, or of what names.test.mjs leaves out. */
const TYPES_NEVER = [
  "BrowserLoginStyle",
  "DefaultAzureCredentialEnvVars",
  "IdentityPlugin",
  "InteractiveBrowserCredentialInBrowserOptions",
  "logger",
  "useIdentityPlugin",
];

/** Arguments before the options, and options that are needed. */
const NEEDED = {
  AuthorizationCodeCredential: ["t", "c", "s", "code", "http://localhost"],
  AzurePipelinesCredential: ["t", "c", "id", "token"],
  ClientAssertionCredential: ["t", "c", () => "jwt"],
  ClientCertificateCredential: ["t", "c", "/nonexistent"],
  ClientSecretCredential: ["t", "c", "s"],
  UsernamePasswordCredential: ["t", "c", "u", "p"],
};

/** What these arguments are called. */
const ARGUMENTS = {
  AuthorizationCodeCredential: ["tenantId", "clientId", "clientSecret", "authorizationCode", "redirectUri"],
  AzurePipelinesCredential: ["tenantId", "clientId", "serviceConnectionId", "systemAccessToken"],
  ClientAssertionCredential: ["tenantId", "clientId", "getAssertion"],
  ClientCertificateCredential: [
    "tenantId",
    "clientId",
    "certificate",
    "certificateData",
    "certificatePassword",
    "certificatePath",
  ],
  ClientSecretCredential: ["tenantId", "clientId", "clientSecret"],
  OnBehalfOfCredential: ["tenantId", "clientId"],
  UsernamePasswordCredential: ["tenantId", "clientId", "username", "password"],
};

const { identity, own } = declared();

/** What both packages declare: their exports, and for each class the names of its options. */
function declared() {
  const probe = path.join(path.dirname(fileURLToPath(import.meta.url)), "probe.mts");
  const text = 'import * as a from "@azure/identity"; import * as b from "azcred"; export { a, b };';
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === probe || fileExists(name);
  host.getSourceFile = (name, ...all) =>
    name === probe ? ts.createSourceFile(name, text, options.target) : getSourceFile(name, ...all);
  const program = ts.createProgram([probe], options, host);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(probe);
  const [a, b] = source.statements.filter(ts.isImportDeclaration).map((statement) => {
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(statement.moduleSpecifier));
    return { names: symbols.map(({ name }) => name), classes: new Map(symbols.flatMap(classOf)) };
  });
  return { identity: a, own: b };

  function classOf(exported) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const made = symbol.valueDeclaration && ts.isClassDeclaration(symbol.valueDeclaration);
    if (!made || !exported.name.endsWith("Credential") || exported.name === "ChainedTokenCredential") {
      return [];
    }
    const type = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
    const parameters = type.getConstructSignatures().flatMap((signature) => signature.getParameters());
    const types = parameters.flatMap((parameter) => {
      const type = checker.getTypeOfSymbolAtLocation(parameter, source);
      return type.isUnion() ? type.types : [type];
    });
    const objects = types.filter(({ flags }) => flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection));
    const plain = objects.filter((type) => type.getCallSignatures().length === 0);
    const options = plain.flatMap((type) => checker.getPropertiesOfType(type).map(({ name }) => name));
    return [[exported.name, new Set(options)]];
  }
}

/** The sentence with which a class refuses an option; undefined for one that it reads. */
function refusal(name, option, value = {}) {
  const given = [...(NEEDED[name] ?? []), { [option]: value }];
  try {
    new azcred[name](...given);
    return undefined;
  } catch (error) {
    return / (unknown option|option \S+ is not supported)/.test(error.message) ? error.message : undefined;
  }
}

test("every type of @azure/identity is here, or left out for a reason", () => {
  const missing = identity.names.filter((name) => !own.names.includes(name));
  assert.deepEqual(missing.sort(), TYPES_NEVER);
});

test("every option that @azure/identity declares is declared here, or refused with the reason", () => {
  assert.ok(identity.classes.size >= 17);
  for (const [name, theirs] of identity.classes) {
    const ours = own.classes.get(name);
    const missing = [...theirs].filter((option) => !ours.has(option) && !IN_PAGES.includes(option)).sort();
    assert.deepEqual(
      missing.filter((option) => !REFUSED.includes(option)),
      [],
      name,
    );
    for (const option of missing) {
      assert.match(refusal(name, option) ?? "", /is not supported: /, `${name}: ${option}`);
    }
  }
});

test("every option that is declared here is taken", () => {
  for (const [name, ours] of own.classes) {
    assert.ok(ours.size > 0, name);
    for (const option of [...ours].filter((option) => !ARGUMENTS[name]?.includes(option))) {
      assert.equal(refusal(name, option), undefined, `${name}: ${option}`);
    }
  }
});

test("every option that is taken is declared here", () => {
  for (const [name, ours] of own.classes) {
    const { message } = thrown(() => new azcred[name](...(NEEDED[name] ?? []), { nonsense: 1 }));
    const taken = /unknown option nonsense; it takes (.*)$/.exec(message)[1].split(", ");
    const known = new Set([...ours, ...PYTHONS, ...(ARGUMENTS[name] ?? [])]);
    assert.deepEqual(
      taken.filter((option) => !known.has(option)),
      [],
      name,
    );
  }
});
