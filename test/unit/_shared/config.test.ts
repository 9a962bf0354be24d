import assert from "node:assert/strict";
import { ConfigError, parseConfig, readSecretFile } from "../../../functions/_shared/config.ts";

const names = (variable: string) => (error: unknown) =>
  error instanceof ConfigError && error.variable === variable && error.message.includes(variable);

Deno.test("addresses are made from the public one, under any prefix", () => {
  const config = parseConfig({ GATEHOUSE_PUBLIC_URL: "https://id.example/acme-prefix/" });
  assert.equal(config.restUrl, "https://id.example/acme-prefix/rest/v1");
  assert.equal(config.functionsUrl, "https://id.example/acme-prefix/functions/v1");
  assert.equal(config.portalUrl, "https://id.example/acme-prefix/portal/");
  assert.equal(config.loginUrl, "https://id.example/acme-prefix/functions/v1/widget/login");
  assert.equal(config.ownIssuer, "https://id.example/acme-prefix/functions/v1/session");
});

Deno.test("lists and the listening address are taken apart", () => {
  const config = parseConfig({
    GATEHOUSE_FUNCTIONS: " session, zitadel ,",
    GATEHOUSE_LISTEN: "[::1]:9000",
    GATEHOUSE_OUTBOUND_ALLOW: "10.0.0.0/8,fd00::/8",
  });
  assert.deepEqual(config.functions, ["session", "zitadel"]);
  assert.deepEqual(config.listen, { hostname: "::1", port: 9000 });
  assert.deepEqual(config.outboundAllow.map(({ prefix }) => prefix), [8, 8]);
});

Deno.test("a wrong variable is named", () => {
  const wrong: [string, string][] = [
    ["GATEHOUSE_PROFILE", "demo"],
    ["GATEHOUSE_LISTEN", "9000"],
    ["GATEHOUSE_DB_URL", "mysql://x"],
    ["GATEHOUSE_PUBLIC_URL", "id.example"],
    ["GATEHOUSE_TRUSTED_HOPS", "many"],
    ["GATEHOUSE_AUDIT_RETENTION_DAYS", "30"], // as the setting in the database: a month at least
    ["GATEHOUSE_AUDIT_RETENTION_DAYS", "a year"],
    ["LOG_LEVEL", "loud"],
    ["GATEHOUSE_OUTBOUND_ALLOW", "10.0.0.0/33"],
    ["GATEHOUSE_OUTBOUND_ALLOW", "intranet"],
  ];
  for (const [variable, value] of wrong) {
    assert.throws(() => parseConfig({ [variable]: value }), names(variable), variable);
  }
});

Deno.test("a missing variable is named by the part that needs it, an empty one counts as missing", () => {
  const config = parseConfig({ GATEHOUSE_DB_URL: "  " });
  assert.throws(() => config.dbUrl, names("GATEHOUSE_DB_URL"));
  assert.throws(() => config.zitadelUrl, names("ZITADEL_ISSUER"));
  assert.equal(config.has("GATEHOUSE_DB_URL"), false);
});

Deno.test("ZITADEL's API is at its issuer unless said otherwise", () => {
  const issuer = "https://zitadel.example";
  assert.equal(parseConfig({ ZITADEL_ISSUER: issuer }).zitadelUrl, issuer);
  const inner = parseConfig({ ZITADEL_ISSUER: issuer, ZITADEL_URL: "http://zitadel:8080" });
  assert.equal(inner.zitadelUrl, "http://zitadel:8080");
});

Deno.test("an http or loopback issuer is taken in the embedded profile only", () => {
  for (const issuer of ["http://zitadel.example", "https://127.0.0.1:1", "https://localhost"]) {
    assert.throws(() => parseConfig({ ZITADEL_ISSUER: issuer }), names("ZITADEL_ISSUER"), issuer);
    const embedded = parseConfig({ GATEHOUSE_PROFILE: "embedded", ZITADEL_ISSUER: issuer });
    assert.equal(embedded.zitadelIssuer, issuer);
  }
});

Deno.test("a secret's file is read without the white space around; its absence names the variable", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "secret\n");
  assert.equal(await readSecretFile("X_FILE", path), "secret");
  await Deno.writeTextFile(path, " \n");
  await assert.rejects(readSecretFile("X_FILE", path), names("X_FILE"));
  await Deno.remove(path);
  await assert.rejects(readSecretFile("X_FILE", path), names("X_FILE"));
});
