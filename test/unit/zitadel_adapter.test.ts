// What the adapter makes of answers, addresses and events, without a ZITADEL.
import assert from "node:assert/strict";
import { apiAddress } from "../../functions/_shared/zitadel/address.ts";
import { wire } from "../../functions/_shared/zitadel/call.ts";
import { isZitadelError, ZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { allowedPayload } from "../../functions/_shared/zitadel/event_fields.ts";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { refusal } from "../../functions/_shared/zitadel/refusal.ts";
import { signInRefusal } from "../../functions/_shared/zitadel/refusals.ts";

Deno.test("outside the embedded profile a plain or loopback issuer is refused", () => {
  const bad = [
    "http://auth.example.com",
    "https://localhost:8080",
    "https://auth.localhost",
    "https://127.0.0.1",
    "https://127.9.9.9:8443",
    "https://[::1]:8080",
    "https://[::ffff:127.0.0.1]",
    "https://0.0.0.0",
  ];
  for (const issuer of bad) {
    assert.throws(
      () => apiAddress({ profile: "standard", issuer }),
      (error) => isZitadelError(error, "unsafe_issuer"),
      issuer,
    );
    assert.ok(apiAddress({ profile: "embedded", issuer }));
  }
  assert.deepEqual(apiAddress({ profile: "standard", issuer: "https://auth.example.com" }), {
    url: "https://auth.example.com",
    headers: {},
  });
});

Deno.test("an inner address names the instance by header", () => {
  const address = apiAddress({
    profile: "standard",
    issuer: "https://auth.example.com:8443",
    url: "http://zitadel:8080/",
  });
  assert.deepEqual(address, {
    url: "http://zitadel:8080",
    headers: { "x-zitadel-instance-host": "auth.example.com:8443" },
  });
});

Deno.test("Connect's errors are read by code and id, with or without its debug member", () => {
  // zitadel.v1.CredentialsCheckError {id: "COMMAND-3M0fs", message: "m", failed_attempts: 300}
  const value = btoa("\x0a\x0dCOMMAND-3M0fs\x12\x01m\x18\xac\x02").replace(/=+$/, "");
  const error = refusal(
    400,
    JSON.stringify({
      code: "invalid_argument",
      message: "Passwort ist falsch (COMMAND-3M0fs)",
      details: [{ type: "zitadel.v1.CredentialsCheckError", value }],
    }),
  );
  assert.deepEqual([error.code, error.id, error.failedAttempts], [
    "invalid_argument",
    "COMMAND-3M0fs",
    300,
  ]);
  assert.equal(signInRefusal(error), "wrong_password");
  const without = refusal(
    409,
    JSON.stringify({ code: "already_exists", message: "Vergeben (V3-DKcYh)" }),
  );
  assert.deepEqual([without.code, without.id, without.retryable], [
    "already_exists",
    "V3-DKcYh",
    false,
  ]);
});

Deno.test("the gateway's errors are read by number", () => {
  const error = refusal(
    404,
    JSON.stringify({
      code: 5,
      message: "nicht gefunden",
      details: [{
        "@type": "type.googleapis.com/zitadel.v1.ErrorDetail",
        id: "QUERY-Dfbg2",
        message: "x",
      }],
    }),
  );
  assert.deepEqual([error.code, error.id, error.httpStatus], ["not_found", "QUERY-Dfbg2", 404]);
});

Deno.test("what is not ZITADEL's own answer is told apart: a proxy's page, a router's 404, nonsense", () => {
  assert.deepEqual([refusal(502, "<html>").code, refusal(502, "<html>").retryable], [
    "unavailable",
    true,
  ]);
  assert.equal(refusal(404, "404 page not found").code, "unimplemented");
  assert.equal(refusal(401, "").code, "unauthenticated");
  assert.equal(refusal(429, "").retryable, true);
  assert.equal(refusal(418, '"tea"').code, "unknown");
  assert.equal(refusal(400, '{"code":"no_such_code","message":"x"}').code, "invalid_argument");
});

Deno.test("events keep only the fields that are named for their type", () => {
  assert.deepEqual(
    allowedPayload("user.human.added", {
      userName: "a",
      encodedHash: "$2a$",
      code: {},
      email: "a@b",
    }),
    { userName: "a", email: "a@b" },
  );
  assert.deepEqual(
    allowedPayload("user.human.password.changed", { encodedHash: "x", secret: {} }),
    {},
  );
  assert.deepEqual(allowedPayload("an.event.of.the.future", { secret: "x", userName: "y" }), {});
  assert.deepEqual(
    allowedPayload("session.added", {
      user_agent: {
        ip: "192.0.2.1",
        header: { cookie: { values: ["secret"] } },
        fingerprint_id: "f",
      },
    }),
    { user_agent: { ip: "192.0.2.1", fingerprint_id: "f" } },
  );
  assert.deepEqual(allowedPayload("constructor", { name: "x" }), {});
});

interface Seen {
  path: string;
  headers: Headers;
}

/** A server that answers as told, and a wire to it. */
async function answering(
  answer: (request: Request, count: number) => Response | Promise<Response>,
  run: (calls: ReturnType<typeof wire>, seen: Seen[], url: string) => Promise<void>,
  timeoutMs = 2000,
) {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push({ path: new URL(request.url).pathname, headers: request.headers });
    return answer(request, seen.length);
  });
  const tokenFile = await Deno.makeTempFile({ prefix: "gatehouse-token-" });
  await Deno.writeTextFile(tokenFile, "token-1\n");
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await run(wire({ profile: "embedded", issuer: url, tokenFile, timeoutMs }), seen, url);
  } finally {
    await server.shutdown();
    await Deno.remove(tokenFile);
  }
}

Deno.test("a lagging projection is asked again after 0.5, 1 and 2 s; only where the thing is known to be there", async () => {
  const missing = () =>
    Response.json({ code: "not_found", message: "x (QUERY-1)" }, { status: 404 });
  await answering(
    (_request, count) => count < 3 ? missing() : Response.json({ ok: true }),
    async (calls, seen) => {
      assert.deepEqual(await calls.connect("a.B", "GetC", {}, { settle: true }), { ok: true });
      assert.equal(seen.length, 3);
    },
  );
  await answering(missing, async (calls, seen) => {
    await assert.rejects(
      calls.connect("a.B", "GetC", {}),
      (error) => isZitadelError(error, "not_found"),
    );
    assert.equal(seen.length, 1);
  });
});

Deno.test("silence, a closed door, a redirect and a page that is not JSON are errors of their own", async () => {
  const slow = () =>
    new Promise<Response>((resolve) => setTimeout(() => resolve(new Response()), 300));
  await answering(slow, async (calls) => {
    await assert.rejects(
      calls.connect("a.B", "GetC", {}),
      (error) =>
        isZitadelError(error, "deadline_exceeded") && error.retryable && error.httpStatus === 0,
    );
  }, 100);
  const elsewhere = () =>
    new Response(null, { status: 302, headers: { location: "http://127.0.0.1:9/" } });
  await answering(elsewhere, async (calls) => {
    await assert.rejects(
      calls.connect("a.B", "GetC", {}),
      (error) => isZitadelError(error, "unavailable"),
    );
  });
  await answering(() => new Response("<html>"), async (calls) => {
    await assert.rejects(
      calls.connect("a.B", "GetC", {}),
      (error) => isZitadelError(error, "internal"),
    );
  });
  const closed = wire({
    profile: "embedded",
    issuer: "http://127.0.0.1:9",
    tokenFile: "/dev/null",
  });
  await assert.rejects(
    closed.connect("a.B", "GetC", {}),
    (error) => isZitadelError(error, "unauthenticated") && !error.message.includes("/dev"),
  );
});

Deno.test("a refused token is read again and, when it changed, tried once more", async () => {
  const tokenFile = await Deno.makeTempFile({ prefix: "gatehouse-token-" });
  await Deno.writeTextFile(tokenFile, "token-1");
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (request.headers.get("authorization") === "Bearer token-2") {
        return Response.json({
          ok: true,
        });
      }
      await Deno.writeTextFile(tokenFile, "token-2"); // rotated while the call was under way
      return Response.json({ code: "unauthenticated", message: "x (AUTH-7fs1e)" }, { status: 401 });
    },
  );
  try {
    const issuer = `http://127.0.0.1:${server.addr.port}`;
    const calls = wire({ profile: "embedded", issuer, tokenFile });
    assert.deepEqual(await calls.rest("GET", "/x"), { ok: true });
  } finally {
    await server.shutdown();
    await Deno.remove(tokenFile);
  }
});

Deno.test("the organization of a call stands in its header, a token never in an error", async () => {
  await answering(() => Response.json({}, { status: 500 }), async (calls, seen) => {
    const error = await calls.rest("GET", "/x", undefined, { orgId: "org-1" }).catch((error) =>
      error
    );
    assert.ok(error instanceof ZitadelError);
    assert.equal(seen[0]?.headers.get("x-zitadel-orgid"), "org-1");
    assert.equal(seen[0]?.headers.get("authorization"), "Bearer token-1");
    assert.doesNotMatch(Deno.inspect(error), /token-1/);
  });
});

Deno.test("keys: only public members of signing keys, and never an empty list", async () => {
  const keys = [
    { kty: "RSA", kid: "1", use: "sig", alg: "RS256", n: "n", e: "AQAB", d: "private" },
    { kty: "RSA", kid: "2", use: "enc", n: "n", e: "AQAB" },
    { kty: "oct", kid: "3", k: "secret" },
    { kty: "RSA", n: "n", e: "AQAB" },
  ];
  await answering(() => Response.json({ keys }), async (_calls, _seen, issuer) => {
    assert.deepEqual(await fetchJwks({ profile: "embedded", issuer }), [
      { kty: "RSA", kid: "1", use: "sig", alg: "RS256", n: "n", e: "AQAB" },
    ]);
  });
  for (const body of [{ keys: [] }, { keys: "x" }, {}]) {
    await answering(() => Response.json(body), async (_calls, _seen, issuer) => {
      await assert.rejects(
        fetchJwks({ profile: "embedded", issuer }),
        (error) => isZitadelError(error, "unavailable"),
      );
    });
  }
});
