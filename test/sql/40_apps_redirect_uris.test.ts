// URI: which redirect URIs an application may have. What is accepted means the same to a browser, to ZITADEL and to a reader.
import assert from "node:assert/strict";
import fc from "fast-check";
import { apps, as, refusal, tenants } from "../support/actors.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const kinds = ["web", "spa", "native"] as const;

/** Why each URI is refused; null where it is accepted. One call for all. */
async function problems(uris: string[], kind: string): Promise<(string | null)[]> {
  const rows = await database().sql<{ problem: string | null }[]>`
    select private.redirect_uri_problem(u, ${kind}) as problem from unnest(${uris}::text[]) with ordinality x (u, n) order by n`;
  return rows.map(({ problem }) => problem);
}

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) =>
  [...labels, "example"].join(".")
);
const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }).map((one) =>
  one === undefined ? "" : `:${one}`
);
const path = fc.array(fc.stringMatching(/^[A-Za-z0-9_~-]{1,8}$/), { maxLength: 4 }).map((parts) =>
  parts.map((part) => `/${part}`).join("")
);
const query = fc.constantFrom("", "?", "?a=b", "?next=%2Fhome&x=1");
const good = fc.tuple(host, port, path, query).map((parts) => `https://${parts.join("")}`);

Deno.test("URI-01 an https address with host, port, path and query is accepted for every kind", async () => {
  const uris = fc.sample(good, { numRuns: 1000, seed: 1 });
  for (const kind of kinds) {
    const found = await problems(uris, kind);
    assert.deepEqual(uris.filter((_, i) => found[i] !== null), []);
  }
});

Deno.test("URI-02 http is for loopback, for every kind", async () => {
  const loopback = [
    "http://127.0.0.1/cb",
    "http://127.0.0.1:8080/cb",
    "http://[::1]:9000/",
    "http://localhost:3000/callback",
    "http://localhost",
  ];
  const others = [
    "http://shop.example/cb",
    "http://localhost.evil.example/",
    "http://127.0.0.1.evil.example/",
    "http://10.0.0.1/",
    "http://[::2]/",
    "http://127.0.0.1@evil.example/",
    "http://localhost:80evil.example/",
  ];
  for (const kind of kinds) {
    assert.deepEqual(await problems(loopback, kind), loopback.map(() => null), kind);
    assert.deepEqual((await problems(others, kind)).filter((one) => one === null), [], kind);
  }
});

Deno.test("URI-03 a private scheme is for native applications and a reversed domain", async () => {
  const uris = [
    "com.example.app:/callback",
    "com.example.app:/",
    "myapp:/callback",
    "javascript:/x.y",
    "data:/text.html",
    "com.example.app:callback",
    "app.example:/cb",
  ];
  const accepted = [true, true, false, false, false, false, true];
  assert.deepEqual((await problems(uris, "native")).map((one) => one === null), accepted);
  for (const kind of ["web", "spa"]) {
    assert.deepEqual((await problems(uris, kind)).filter((one) => one === null), []);
  }
});

Deno.test("URI-04 what attackers write is refused for every kind", async () => {
  const uris = [
    "",
    "https://",
    "https:///cb",
    "https:shop.example",
    "//shop.example/cb",
    "/cb",
    "shop.example/cb",
    "https://shop.example/cb#fragment",
    "https://shop.example/#",
    "https://*.shop.example/",
    "https://shop.example/*",
    "https://user@shop.example/",
    "https://user:pass@shop.example/",
    "https://shop.example@evil.example/",
    "https://shop.example\\@evil.example/",
    "https://shop.example\\evil",
    "https://shop.example/ cb",
    " https://shop.example/cb",
    "https://shop.example/cb\n",
    "https://shop.example/\tcb",
    "https://shop.example/\u0000cb".replace("\u0000", "\u0001"),
    "https://shоp.example/", // a Cyrillic о
    "https://shop.example/ü",
    "HTTPS://shop.example/",
    "https://SHOP.example/",
    "https://shop.example:0/",
    "https://shop.example:99999999/",
    "https://shop.example:/",
    "https://shop.example/../cb",
    "https://shop.example/./cb",
    "https://shop.example/a/..",
    "https://shop.example/%zz",
    "https://shop.example/%",
    "https://-shop.example/",
    "https://shop..example/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://127.0.0.256/",
    "https://127.0.0.01/",
    "https://shop.example:65536/",
    "https://shop.example/%2e%2E/cb",
    "https://shop.example/<script>",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[1]/",
    "https://[::1/",
    "https://[not-an-address]/",
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://shop.example/",
    "file:///etc/passwd",
    `https://shop.example/${"a".repeat(500)}`,
  ];
  for (const kind of kinds) {
    const found = await problems(uris, kind);
    assert.deepEqual(uris.filter((_, i) => found[i] === null), [], kind);
  }
});

Deno.test("URI-05 whatever is accepted parses to the same host, with no user, no fragment and a safe scheme", async () => {
  const piece = fc.constantFrom(
    ...[
      "https://",
      "http://",
      "https:/",
      "//",
      "/",
      ".",
      "..",
      "@",
      ":",
      "?",
      "#",
      "%",
      "%2e",
      "%2F",
      "\\",
      "*",
      "&",
      "=",
      ";",
      "[",
      "]",
      "::1",
      "-",
      "_",
    ],
    ...[
      "shop",
      "example",
      "localhost",
      "127.0.0.1",
      "evil",
      "com",
      "xn--bcher-kva",
      "a",
      "A",
      "é",
      " ",
      "\t",
      "0",
      "8080",
      "65536",
      "'",
      '"',
      "<",
      "|",
      "^",
      "`",
      "{",
    ],
  );
  const soup = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(""));
  const broken = fc.tuple(good, fc.nat(), piece).map(([uri, at, one]) => {
    const index = at % (uri.length + 1);
    return uri.slice(0, index) + one + uri.slice(index);
  });
  const uris = [
    ...fc.sample(soup, { numRuns: 2000, seed: 2 }),
    ...fc.sample(soup.map((text) => `https://${text}`), { numRuns: 2000, seed: 3 }),
    ...fc.sample(broken, { numRuns: 2000, seed: 4 }),
  ];
  for (const kind of kinds) {
    const found = await problems(uris, kind);
    const accepted = uris.filter((_, i) => found[i] === null);
    assert.ok(accepted.length > 150, String(accepted.length));
    const differing = accepted.filter((uri) => !meansWhatItSays(uri, kind));
    assert.deepEqual([...new Set(differing)], [], kind);
  }
});

/** A browser's reading (WHATWG URL) of the text is the text: nothing was dropped, decoded or moved. */
function meansWhatItSays(uri: string, kind: string): boolean {
  if (!URL.canParse(uri)) return /\bxn--/.test(uri); // punycode that decodes to nothing leads nowhere
  const url = new URL(uri);
  if (url.username || url.password || url.hash || uri.includes("#")) return false;
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return kind === "native" && /^[a-z0-9-]+(\.[a-z0-9-]+)+:$/.test(url.protocol);
  }
  if (url.protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(url.hostname)) {
    return false;
  }
  const authority = /^https?:\/\/([^/?#]*)/.exec(uri)![1]!;
  const defaultPort = url.protocol === "https:" ? ":443" : ":80";
  const written = authority.endsWith(defaultPort)
    ? authority.slice(0, -defaultPort.length)
    : authority;
  // a browser encodes ' in a query, which RFC 3986 allows to stand
  const rest = uri.slice(uri.indexOf(authority) + authority.length).replaceAll(
    /'(?=[^?]*$)/g,
    (found) => uri.includes("?") ? "%27" : found,
  );
  return url.host === written &&
    (url.pathname + url.search === rest || url.pathname + url.search === `/${rest}` ||
      `${url.pathname}${url.search}?` === rest || `${url.pathname}${url.search}?` === `/${rest}`);
}

Deno.test("URI-06 a bad or repeated URI is refused with its slug, in both lists, at insert and update", async () => {
  const bad = ["https://shop.example/#x"];
  const twice = ["https://shop.example/cb", "https://shop.example/cb"];
  for (const list of ["redirect_uris", "post_logout_uris"]) {
    for (const uris of [bad, twice]) {
      await assert.rejects(
        as(
          database().sql,
          "alice",
          (tx) =>
            tx`insert into public.apps ${
              tx({ tenant_id: tenants.A, name: "x", [list]: uris }, "tenant_id", "name", list)
            }`,
        ),
        refusal("redirect_uri_refused", 422),
      );
      await assert.rejects(
        as(
          database().sql,
          "alice",
          (tx) => tx`update public.apps set ${tx({ [list]: uris }, list)} where id = ${apps.A.id}`,
        ),
        refusal("redirect_uri_refused", 422),
      );
    }
  }
});

Deno.test("URI-07 fifty URIs are enough", async () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => `https://shop.example/${i}`);
  const put = (count: number) =>
    as(
      database().sql,
      "alice",
      (tx) => tx`update public.apps set redirect_uris = ${many(count)} where id = ${apps.A.id}`,
    );
  await put(50);
  await assert.rejects(put(51), { constraint_name: "app_redirect_uris_too_many" });
});
