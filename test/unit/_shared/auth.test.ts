import assert from "node:assert/strict";
import {
  CompactSign,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import {
  callerOf,
  type VerificationKey,
  type Verifier,
  verifier,
} from "../../../functions/_shared/auth.ts";
import { Problem } from "../../../functions/_shared/problem.ts";

const issuer = "https://zitadel.example";
const pair = () => generateKeyPair("RS256", { extractable: true });
const [good, other, rival] = [await pair(), await pair(), await pair()];
const row = async (kid: string, keys: CryptoKeyPair, of = issuer): Promise<VerificationKey> => ({
  issuer: of,
  kid,
  jwk: { ...await exportJWK(keys.publicKey), kid, alg: "RS256", use: "sig" },
});
const rows = [await row("k1", good), await row("k1", rival, "https://rival.example")];

interface Minted {
  key?: CryptoKey;
  header?: Record<string, unknown>;
  claims?: JWTPayload;
}
const now = () => Math.floor(Date.now() / 1000);
function mint({ key = good.privateKey, header = {}, claims = {} }: Minted = {}): Promise<string> {
  return new SignJWT({ iss: issuer, sub: "alice", iat: now(), exp: now() + 600, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(key);
}
const keysOf = (loaded: () => VerificationKey[], options = {}) =>
  verifier({ loadKeys: () => Promise.resolve(loaded()), ...options });
const slugOf = (keys: Verifier, token: string) =>
  keys.verify(token).then(() => "taken", (error) => {
    if (error instanceof Problem) return error.slug;
    throw error;
  });

Deno.test("a token of a known key is taken", async () => {
  const claims = await keysOf(() => rows).verify(await mint());
  assert.deepEqual([claims.iss, claims.sub], [issuer, "alice"]);
});

Deno.test("alg none, HS256 with the public key, and any other algorithm are refused", async () => {
  const keys = keysOf(() => rows);
  const none = new UnsecuredJWT({ iss: issuer, sub: "alice" }).setExpirationTime("5m").encode();
  assert.equal(await slugOf(keys, none), "token_invalid");
  const withKid = (alg: string) =>
    btoa(JSON.stringify({ alg, kid: "k1" })).replaceAll("=", "") + "." + none.split(".")[1] + ".";
  for (const alg of ["none", "None", "HS256"]) {
    assert.equal(await slugOf(keys, withKid(alg)), "token_invalid", alg);
  }
  const pem = new TextEncoder().encode(await exportSPKI(good.publicKey));
  const confused = await new CompactSign(
    new TextEncoder().encode(JSON.stringify({ iss: issuer, sub: "alice", exp: now() + 60 })),
  ).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(pem);
  assert.equal(await slugOf(keys, confused), "token_invalid");
  const own = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await exportJWK(own.publicKey), kid: "ec" };
  const both = keysOf(() => [...rows, { issuer, kid: "ec", jwk }]);
  assert.equal(
    await slugOf(both, await mint({ key: own.privateKey, header: { alg: "ES256", kid: "ec" } })),
    "taken",
  );
  const crossed = [
    mint({ key: own.privateKey, header: { alg: "ES256", kid: "k1" } }),
    mint({ header: { kid: "ec" } }),
  ];
  for (const token of crossed) assert.equal(await slugOf(both, await token), "token_invalid");
  const pss = await generateKeyPair("PS256", { extractable: true });
  const byPss = await mint({ key: pss.privateKey, header: { alg: "PS256" } });
  assert.equal(await slugOf(keys, byPss), "token_invalid");
});

Deno.test("the header brings no key of its own", async () => {
  const jwk = await exportJWK(other.publicKey);
  const token = await mint({ key: other.privateKey, header: { jwk, jku: "https://evil.example" } });
  assert.equal(await slugOf(keysOf(() => rows), token), "token_invalid");
});

Deno.test("a key speaks for its own issuer only, though another has the same kid", async () => {
  const keys = keysOf(() => rows);
  assert.equal(await slugOf(keys, await mint({ key: rival.privateKey })), "token_invalid");
  const claims = { iss: "https://rival.example" };
  assert.equal(await slugOf(keys, await mint({ key: rival.privateKey, claims })), "taken");
  assert.equal(await slugOf(keys, await mint({ claims })), "token_invalid");
});

Deno.test("issuer and kid must be named and known; the issuer to the letter", async () => {
  const keys = keysOf(() => rows);
  for (const iss of [undefined, "", issuer + "/", issuer.toUpperCase(), "https://evil.example"]) {
    assert.equal(await slugOf(keys, await mint({ claims: { iss } })), "token_invalid", String(iss));
  }
  for (const kid of [undefined, "k2", ""]) {
    assert.equal(await slugOf(keys, await mint({ header: { kid } })), "token_invalid", String(kid));
  }
});

Deno.test("expired, not yet valid and never expiring tokens are refused; 30 s of clock difference are not", async () => {
  const keys = keysOf(() => rows);
  const token = (claims: JWTPayload) => mint({ claims });
  assert.equal(await slugOf(keys, await token({ exp: now() - 31 })), "token_expired");
  assert.equal(await slugOf(keys, await token({ exp: now() - 20 })), "taken");
  assert.equal(await slugOf(keys, await token({ nbf: now() + 60 })), "token_invalid");
  assert.equal(await slugOf(keys, await token({ exp: undefined })), "token_invalid");
});

Deno.test("text that is no token is refused", async () => {
  const keys = keysOf(() => rows);
  for (const text of ["x", "a.b.c", "..", "e30.e30.", "e30.e30.e30.e30", "🔑.🔑.🔑"]) {
    assert.equal(await slugOf(keys, text), "token_invalid", text);
  }
  const token = await mint();
  const changed = token.slice(0, -6) + (token.at(-6) === "A" ? "B" : "A") + token.slice(-5);
  assert.equal(await slugOf(keys, changed), "token_invalid");
});

Deno.test("a verified token is remembered, for 60 s at most and not past its end", async () => {
  let at = Date.now();
  let loads = 0;
  const keys = verifier({
    loadKeys: () => (loads++, Promise.resolve(rows)),
    now: () => at,
    maxAgeMs: Infinity,
  });
  const token = await mint({ claims: { exp: now() + 40 } });
  const first = await keys.verify(token);
  assert.equal(await keys.verify(token), first);
  at += 39_000;
  assert.equal(await keys.verify(token), first);
  at += 2_000;
  assert.notEqual(await keys.verify(token), first);
  const long = await mint({ claims: { exp: now() + 600 } });
  const kept = await keys.verify(long);
  at += 61_000;
  assert.notEqual(await keys.verify(long), kept);
  assert.equal(loads, 1);
});

Deno.test("a removed key is refused at once when the database says so, else when the keys are old", async () => {
  let current = rows;
  let changed = () => {};
  let at = Date.now();
  const keys = verifier({
    loadKeys: () => Promise.resolve(current),
    watch: (call) => Promise.resolve(void (changed = call)),
    now: () => at,
  });
  const token = await mint();
  assert.equal(await slugOf(keys, token), "taken");
  current = rows.slice(1);
  assert.equal(await slugOf(keys, token), "taken");
  changed();
  assert.equal(await slugOf(keys, token), "token_invalid");
  current = rows;
  at += 15_000;
  assert.equal(await slugOf(keys, token), "taken");
  current = rows.slice(1);
  at += 15_000;
  assert.equal(await slugOf(keys, token), "token_invalid");
});

Deno.test("a change that arrives while keys are read is not lost", async () => {
  let changed = () => {};
  const answers = [rows, rows.slice(1)];
  const keys = verifier({
    loadKeys: () => {
      const answer = answers.shift() ?? [];
      if (answers.length === 1) changed(); // told after this read began
      return Promise.resolve(answer);
    },
    watch: (call) => Promise.resolve(void (changed = call)),
  });
  assert.equal(await slugOf(keys, await mint()), "token_invalid");
});

Deno.test("unknown kids ask for the keys once a second at most", async () => {
  let at = Date.now();
  let loads = 0;
  const keys = verifier({ loadKeys: () => (loads++, Promise.resolve(rows)), now: () => at });
  for (let i = 0; i < 20; i++) await slugOf(keys, await mint({ header: { kid: `x${i}` } }));
  assert.equal(loads, 1);
  at += 1_001;
  for (let i = 0; i < 20; i++) await slugOf(keys, await mint({ header: { kid: `x${i}` } }));
  assert.equal(loads, 2);
});

Deno.test("the memory of tokens has a limit", async () => {
  const keys = keysOf(() => rows, { cacheSize: 2 });
  const tokens = await Promise.all(["a", "b", "c"].map((sub) => mint({ claims: { sub } })));
  const first = await keys.verify(tokens[0]!);
  await keys.verify(tokens[1]!);
  const third = await keys.verify(tokens[2]!);
  assert.notEqual(await keys.verify(tokens[0]!), first);
  assert.equal(await keys.verify(tokens[2]!), third);
});

Deno.test("a key that is no public key of RSA or EC is passed over, the others hold", async () => {
  const bad = [{ issuer, kid: "bad", jwk: { kty: "EC" } }, {
    issuer,
    kid: "private",
    jwk: { ...await exportJWK(other.privateKey) },
  }];
  const keys = keysOf(() => [...bad, ...rows]);
  assert.equal(await slugOf(keys, await mint()), "taken");
  const token = await mint({ key: other.privateKey, header: { kid: "private" } });
  assert.equal(await slugOf(keys, token), "token_invalid");
});

const context = { id: "req-1", traceparent: "00-1", address: "198.51.100.7" };

Deno.test("SQL gets the request's headers, our own id and address, and no cookie", async () => {
  const token = await mint();
  const request = new Request("http://x/", {
    headers: {
      authorization: `bearer ${token}`,
      cookie: "a=b",
      apikey: "k",
      "x-forwarded-for": "6.6.6.6, 10.0.0.1",
      "x-forwarded-host": "evil",
      "x-correlation-id": "theirs",
      "x-tenant-id": "t1",
    },
  });
  const caller = await callerOf(request, context, keysOf(() => rows));
  assert.equal(caller.token, token);
  assert.deepEqual(caller.headers, {
    authorization: `bearer ${token}`,
    "x-tenant-id": "t1",
    "x-correlation-id": "req-1",
    "x-forwarded-for": "198.51.100.7",
    traceparent: "00-1",
  });
});

Deno.test("without a bearer token the answer is 401 and says what is wanted", async () => {
  for (const authorization of ["", "Basic YTpi", "Bearer", "Bearer ", "Bearer a b"]) {
    const request = new Request("http://x/", { headers: { authorization } });
    await assert.rejects(
      callerOf(request, context, keysOf(() => rows)),
      (error) =>
        error instanceof Problem && error.slug === "token_missing" && error.status === 401 &&
        error.headers["www-authenticate"] === "Bearer",
    );
  }
  const long = new Request("http://x/", {
    headers: { authorization: "Bearer " + "a".repeat(16_385) },
  });
  await assert.rejects(callerOf(long, context, keysOf(() => rows)), Problem);
});
