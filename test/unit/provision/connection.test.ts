// Tests of a connection: each fault by its slug. The world is played; the door is real but for where names lead.
import assert from "node:assert/strict";
import { createDoor, type Door } from "../../../functions/_shared/outbound.ts";
import { parseNetwork } from "../../../functions/_shared/addresses.ts";
import { LdapConnection, LdapError } from "../../../functions/provision/providers/ldap_ask.ts";
import {
  testConnection,
  type TestedProvider,
} from "../../../functions/provision/providers/test_connection.ts";
import { selfSigned } from "../../../scripts/stack/certificate.ts";
import {
  baseDn,
  type Directory,
  hasSlapd,
  startDirectory,
} from "../../../scripts/stack/providers/directory.ts";
import { directoryId } from "../../../scripts/stack/providers/microsoft.ts";
import { type PlayedProviders, playProviders } from "../../../scripts/stack/providers/server.ts";

const now = Date.parse("2026-11-26T12:00:00Z");
const real = createDoor({ embedded: true, allowed: [parseNetwork("127.0.0.0/8")] });

/** Google's and Microsoft's addresses lead to where they are played. */
const playedDoor = ({ url }: PlayedProviders): Door => ({
  ...real,
  send: (request) => {
    const asked = new URL(request.url);
    const local = asked.hostname === "127.0.0.1";
    return real.send(
      local ? request : { ...request, url: `${url}/${asked.hostname}${asked.pathname}` },
    );
  },
});

const provider = (kind: string, settings: Record<string, unknown>): TestedProvider => ({
  kind,
  settings,
  problem: null,
  outside: null,
});

async function slugs(given: TestedProvider, door: Door = real, secret: string | null = null) {
  const { checks, ok } = await testConnection(given, { door, secret, now });
  assert.equal(ok, checks.every((check) => check.ok));
  return checks.slice(2).map(({ name, slug }) => `${name} ${slug}`);
}

Deno.test("what SQL finds wrong ends the test before anybody is asked", async () => {
  const broken = { ...provider("google", {}), problem: "clientId: it is missing" };
  const report = await testConnection(broken, { door: real, secret: null, now });
  assert.deepEqual(report.checks.map(({ slug }) => slug), ["provider_settings_refused", "ok"]);
  const outside = { ...provider("google", { clientId: "x" }), outside: "accounts.google.com" };
  const offline = await testConnection(outside, { door: real, secret: null, now });
  assert.deepEqual(offline.checks.map(({ slug }) => slug), ["ok", "provider_host_outside"]);
});

Deno.test("Google, Microsoft and GitHub answer as they do", async (t) => {
  const played = await playProviders({ clients: [] });
  const door = playedDoor(played);
  await t.step("Google", async () => {
    assert.deepEqual(await slugs(provider("google", { clientId: "x" }), door), [
      "discovery ok",
      "keys ok",
    ]);
  });
  for (const tenant of ["common", "organizations", directoryId]) {
    await t.step(`Microsoft, ${tenant}: the issuer names a directory, or {tenantid}`, async () => {
      const settings = { clientId: "x", tenant };
      assert.deepEqual(await slugs(provider("microsoft", settings), door), [
        "discovery ok",
        "keys ok",
      ]);
    });
  }
  await t.step("Microsoft, a directory that is none", async () => {
    const settings = { clientId: "x", tenant: crypto.randomUUID() };
    assert.deepEqual(await slugs(provider("microsoft", settings), door), [
      "discovery status_unexpected",
    ]);
  });
  await t.step("GitHub, and an Enterprise Server", async () => {
    assert.deepEqual(await slugs(provider("github", { clientId: "x" }), door), ["connect ok"]);
    const settings = { clientId: "x", baseUrl: played.enterpriseUrl };
    assert.deepEqual(await slugs(provider("github", settings), door), ["connect ok"]);
  });
  await played.close();
});

Deno.test("an OpenID server's faults have names", async () => {
  let answer: () => Response = () => Response.json({});
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => answer());
  const issuer = `http://127.0.0.1:${server.addr.port}`;
  const good = {
    issuer,
    authorization_endpoint: `${issuer}/a`,
    token_endpoint: `${issuer}/t`,
    userinfo_endpoint: `${issuer}/u`,
    jwks_uri: `${issuer}/k`,
    code_challenge_methods_supported: ["S256"],
  };
  const cases: [slug: string, () => Response][] = [
    ["discovery status_unexpected", () => new Response("", { status: 503 })],
    ["discovery status_unexpected", () => Response.redirect("http://127.0.0.1:9/", 302)],
    ["discovery answer_malformed", () => new Response("<html>")],
    ["discovery issuer_mismatch", () => Response.json({ ...good, issuer: "https://evil.example" })],
    ["discovery endpoint_missing", () => Response.json({ ...good, jwks_uri: undefined })],
    [
      "discovery pkce_unsupported",
      () => Response.json({ ...good, code_challenge_methods_supported: ["plain"] }),
    ],
  ];
  for (const [slug, made] of cases) {
    answer = made;
    assert.deepEqual(await slugs(provider("oidc", { issuer, clientId: "x" })), [slug]);
  }
  answer = () => Response.json({ ...good, keys: [] });
  assert.deepEqual(await slugs(provider("oidc", { issuer, clientId: "x" })), [
    "discovery ok",
    "keys keys_empty",
  ]);
  const elsewhere = "http://127.0.0.1:9";
  answer = () => Response.json({ ...good, userinfo_endpoint: `${elsewhere}/u`, keys: [{}] });
  const { endpoints } = await testConnection(provider("oidc", { issuer, clientId: "x" }), {
    door: real,
    secret: null,
    now,
  });
  assert.deepEqual(endpoints, [elsewhere], "for the egress list");
  await server.shutdown();
  const closed = provider("oidc", { issuer: "http://127.0.0.1:1025", clientId: "x" });
  assert.deepEqual(await slugs(closed), ["discovery connect_failed"]);
  const metadata = provider("oidc", { issuer: "http://169.254.169.254", clientId: "x" });
  assert.deepEqual(await slugs(metadata), ["discovery address_refused"]);
});

Deno.test("SAML metadata is read, with its certificate and its end", async () => {
  const made = selfSigned("idp").certificate.replace(/-----[^-]+-----|\s/g, "");
  const xml = (
    { certificate = made, until = "", binding = "HTTP-POST", entityId = 'entityID="urn:idp"' } = {},
  ) =>
    `<md:EntityDescriptor ${entityId} ${until}><md:IDPSSODescriptor>` +
    (certificate
      ? `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificate}` +
        `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
      : "") +
    `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" ` +
    `Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`;
  const of = (metadataXml: string, at = now) =>
    testConnection(provider("saml", { metadataXml }), { door: real, secret: null, now: at })
      .then(({ checks }) => checks.slice(2).map(({ slug }) => slug));
  const soon = Date.now();
  assert.deepEqual(await of(xml(), soon), ["ok", "ok"]);
  assert.deepEqual(await of(xml({ entityId: "" }), soon), ["entity_id_missing", "ok"]);
  assert.deepEqual(await of(xml({ binding: "HTTP-Redirect" }), soon), ["binding_missing", "ok"]);
  assert.deepEqual(await of(xml({ certificate: "" }), soon), ["ok", "certificate_missing"]);
  assert.deepEqual(await of(xml({ certificate: "AAAA" }), soon), ["ok", "certificate_malformed"]);
  assert.deepEqual(await of(xml(), soon + 3651 * 86_400_000), ["ok", "certificate_expired"]);
  const ended = xml({ until: 'validUntil="2020-01-01T00:00:00Z"' });
  assert.deepEqual(await of(ended, soon), ["metadata_expired", "ok"]);
});

Deno.test({
  name: "a directory is reached, bound and looked into, and each fault has a name",
  ignore: !await hasSlapd(),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-directory-" });
    const directory: Directory = await startDirectory(dir);
    const ldap = (more: Record<string, unknown> = {}) =>
      provider("ldap", {
        servers: [directory.ldapsUrl],
        baseDn,
        bindDn: directory.bindDn,
        userObjectClasses: ["inetOrgPerson"],
        userFilters: ["uid"],
        attributes: { id: "uid", userName: "uid" },
        timeoutSeconds: 5,
        ca: directory.ca,
        ...more,
      });
    const ask = (given: TestedProvider, secret: string | null = directory.bindPassword) =>
      slugs(given, real, secret);
    assert.deepEqual(await ask(ldap()), ["connect ok", "bind ok", "base ok"]);
    const clear = { servers: [directory.ldapUrl] };
    assert.deepEqual(await ask(ldap(clear)), ["connect ok", "bind ok", "base ok"]);
    assert.deepEqual(await ask(ldap(), null), ["connect ok", "bind secret_not_given"]);
    assert.deepEqual(await ask(ldap(), "wrong"), ["connect ok", "bind credentials_refused"]);
    assert.deepEqual(await ask(ldap({ baseDn: "dc=other" })), [
      "connect ok",
      "bind ok",
      "base base_missing",
    ]);
    assert.deepEqual(await ask(ldap({ ca: undefined })), ["connect tls_failed"]);
    assert.deepEqual(await ask(ldap({ ...clear, startTls: true })), ["connect tls_failed"]);
    assert.deepEqual(await ask(ldap({ servers: ["ldaps://127.0.0.1:1025"] })), [
      "connect connect_failed",
    ]);
    assert.deepEqual(await ask(ldap({ servers: ["ldaps://169.254.169.254"] })), [
      "connect address_refused",
    ]);
    assert.deepEqual(
      await ask(ldap({ servers: ["ldaps://127.0.0.1:1025", directory.ldapsUrl] })),
      ["connect connect_failed", "connect ok", "bind ok", "base ok"],
    );
    await directory.close();
    await Deno.remove(dir, { recursive: true });
  },
});

Deno.test("what answers and is no directory is told apart, and never hangs", async () => {
  for (
    const bytes of [[0x48, 0x54, 0x54, 0x50], [0x30, 0x80, 0, 0], [0x30, 0x85, 1, 1, 1, 1, 1], []]
  ) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      const conn = await listener.accept();
      await conn.read(new Uint8Array(100));
      await conn.write(Uint8Array.from(bytes));
      conn.close();
    })();
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    const connection = new LdapConnection(conn);
    await assert.rejects(connection.bind("cn=x", "y"), LdapError);
    connection.close();
    await serving;
    listener.close();
  }
});
