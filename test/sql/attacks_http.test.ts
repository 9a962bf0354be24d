// HTTP: the same through real PostgREST, with real keys and tokens: status and slug. Its pre-request hook is the one door.
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import {
  type Actor,
  apps,
  issuer,
  ownIssuer,
  platform,
  projectId,
  tenants,
} from "../support/actors.ts";
import { type House, newKey, openHouse } from "./attacks_http_support.ts";

let house: House;
Deno.test.beforeAll(async () => {
  house = await openHouse();
});
Deno.test.afterAll(async () => await house[Symbol.asyncDispose]());

const tokens: [id: string, attack: string, token: () => Promise<string>, expected: string][] = [
  ["HTTP-01", "alice's own token", () => house.token("alice"), "tenant-a"],
  [
    "HTTP-02",
    "platform staff's own token",
    () => house.token("pat"),
    "platform tenant-a tenant-e tenant-s",
  ],
  ["HTTP-03", "a service's own token", () => house.token("sam"), "tenant-a"],
  [
    "HTTP-04",
    "a foreign token with role: service_role",
    () => house.token("alice", { role: "service_role" }),
    "401 role_claim_foreign",
  ],
  [
    "HTTP-05",
    "a foreign token with role: gatehouse_platform",
    () => house.token("alice", { role: "gatehouse_platform" }),
    "401 role_claim_foreign",
  ],
  [
    "HTTP-06",
    "a foreign token with role: authenticated",
    () => house.token("alice", { role: "authenticated" }),
    "401 role_claim_foreign",
  ],
  [
    "HTTP-07",
    "a foreign token with a role and no sub",
    () => house.token("alice", { role: "service_role", sub: undefined }),
    "401 role_claim_foreign",
  ],
  [
    "HTTP-08",
    "a token that names a role of the cluster",
    () => house.token("alice", { role: "gatehouse_worker" }),
    "403 42501",
  ],
  [
    "HTTP-09",
    "our own issuer's token with role: service_role",
    () => house.token("alice", { iss: ownIssuer, role: "service_role" }, house.own),
    "401 role_refused",
  ],
  [
    "HTTP-10",
    "an ID token",
    () => house.token("alice", { nonce: "n", at_hash: "h" }),
    "401 not_an_access_token",
  ],
  [
    "HTTP-11",
    "a token without aud",
    () => house.token("alice", { aud: undefined }),
    "401 audience_refused",
  ],
  [
    "HTTP-12",
    "a storefront's token for its own audience",
    () => house.token("visitor", { aud: [apps.A.clientId] }),
    "401 audience_refused",
  ],
  [
    "HTTP-13",
    "an end user's token through the storefront: no tenant",
    () => house.token("visitor"),
    "",
  ],
  [
    "HTTP-14",
    "alice's token through her tenant's application: no tenant",
    () => house.token("alice", { client_id: apps.A.clientId }),
    "",
  ],
  [
    "HTTP-15",
    "a client that we do not know",
    () => house.token("alice", { client_id: "320000000000000099" }),
    "401 client_refused",
  ],
  ["HTTP-16", "a stranger's good token: nothing", () => house.token("mallory"), ""],
  [
    "HTTP-17",
    "an expired token",
    () => house.token("alice", { exp: Math.floor(Date.now() / 1000) - 120 }),
    "401 PGRST301",
  ],
  [
    "HTTP-18",
    "a token signed with a key that nobody published",
    async () => await house.token("alice", {}, await newKey("zitadel-1")),
    "401 PGRST301",
  ],
  [
    "HTTP-19",
    "a token of the other issuer's key",
    () => house.token("alice", {}, house.own),
    "401 key_unknown",
  ],
  [
    "HTTP-20",
    "our issuer's name over ZITADEL's key",
    () => house.token("alice", { iss: ownIssuer, role: "authenticated" }),
    "401 key_unknown",
  ],
  [
    "HTTP-21",
    "ZITADEL's signature under the kid of our own key",
    () => house.token("alice", {}, house.zitadel, { kid: house.own.kid }),
    "401 key_unknown",
  ],
  [
    "HTTP-27",
    "our issuer's name and kid over ZITADEL's signature, which PostgREST takes",
    () =>
      house.token("alice", { iss: ownIssuer, role: "authenticated" }, house.zitadel, {
        kid: house.own.kid,
      }),
    "401 key_unknown",
  ],
  [
    "HTTP-28",
    "ZITADEL's name and kid over our issuer's signature: platform staff, out of the public process",
    () => house.token("pat", {}, house.own, { kid: house.zitadel.kid }),
    "401 key_unknown",
  ],
  [
    "HTTP-22",
    "a token that names no key",
    () => house.token("alice", {}, house.zitadel, {}),
    "401 key_unknown",
  ],
  ["HTTP-23", "alg: none", async () => {
    const [, payload] = (await house.token("alice")).split(".");
    return `${btoa('{"alg":"none","typ":"JWT"}').replaceAll("=", "")}.${payload}.`;
  }, "401 PGRST301"],
  [
    "HTTP-24",
    "HS256 with the public key as the secret",
    async () =>
      await new SignJWT({ role: "gatehouse_platform", iss: issuer, aud: projectId })
        .setProtectedHeader({ alg: "HS256", kid: house.zitadel.kid })
        .sign(new TextEncoder().encode(house.zitadel.jwk.n)),
    "401 PGRST301",
  ],
  ["HTTP-25", "a token whose claims were changed after it was signed", async () => {
    const [head, , signature] = (await house.token("alice")).split(".");
    const [, others] = (await house.token("pat")).split(".");
    return `${head}.${others}.${signature}`;
  }, "401 PGRST301"],
  [
    "HTTP-26",
    "the anonymous key: nothing is granted",
    () => Promise.resolve(house.anonKey),
    "401 42501",
  ],
];

for (const [id, attack, token, expected] of tokens) {
  Deno.test(`${id} ${attack}: ${expected || "nothing"}`, async () => {
    assert.equal(await house.reads(await token()), expected);
  });
}

Deno.test("HTTP-29 two Authorization headers, one for PostgREST and one for the hook, do not pass the front door", async () => {
  const forged = await house.token("pat", {}, house.own, { kid: house.own.kid });
  const shown = await house.token("pat");
  const url = new URL(`${house.doorUrl}/tenants?select=slug`);
  for (const [first, second] of [[forged, shown], [shown, forged]]) {
    const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `host: ${url.host}`,
      `authorization: Bearer ${first}`,
      `authorization: Bearer ${second}`,
      "connection: close",
    ];
    await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    const answer = await new Response(connection.readable).text();
    assert.match(answer, /^HTTP\/1\.1 40[01] /);
    assert.ok(!answer.includes("tenant-a"));
  }
});

const headers: [id: string, attack: string, actor: Actor, header: string, expected: string][] = [
  ["HTTP-30", "x-tenant-id of a stranger's tenant", "eve", tenants.A, "403 tenant_not_member"],
  ["HTTP-31", "x-tenant-id that is no id", "alice", "A' or 1=1", "400 tenant_id_malformed"],
  [
    "HTTP-32",
    "x-tenant-id in capitals",
    "alice",
    tenants.A.toUpperCase(),
    "400 tenant_id_malformed",
  ],
  ["HTTP-33", "x-tenant-id narrows platform staff", "pat", tenants.E, "tenant-e"],
  [
    "HTTP-34",
    "x-tenant-id of the platform, by a tenant's administrator",
    "alice",
    platform,
    "403 tenant_not_member",
  ],
];

for (const [id, attack, actor, header, expected] of headers) {
  Deno.test(`${id} ${attack}: ${expected}`, async () => {
    assert.equal(await house.reads(await house.token(actor), { "x-tenant-id": header }), expected);
  });
}
