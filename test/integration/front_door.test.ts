import assert from "node:assert/strict";
import { join } from "node:path";
import { frontDoor } from "../../scripts/stack/front_door.ts";

/** What a service behind the door saw. */
interface Seen {
  service: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

for (const basePath of ["", "/acme-prefix"]) {
  const under = basePath || "the root";

  Deno.test(`each path goes to its service, under ${under}`, async () => {
    await using house = await open(basePath);
    const paths: [path: string, service: string, arrives: string][] = [
      ["/rest/v1/apps?select=id&name=eq.a%2Fb", "postgrest", "/apps?select=id&name=eq.a%2Fb"],
      ["/rest/v1/a%20b%2Fc", "postgrest", "/a%20b%2Fc"],
      ["/rest/v1/", "postgrest", "/"],
      [
        "/functions/v1/widget/login?authRequest=V2_1",
        "public",
        "/functions/v1/widget/login?authRequest=V2_1",
      ],
      ["/functions/v1/session/keys", "public", "/functions/v1/session/keys"],
      ["/functions/v1/zitadel", "internal", "/functions/v1/zitadel"],
      [
        "/functions/v1/provision/tenants/1/reconcile",
        "internal",
        "/functions/v1/provision/tenants/1/reconcile",
      ],
      ["/functions/v1/webhooks/endpoints", "internal", "/functions/v1/webhooks/endpoints"],
    ];
    for (const [path, service, arrives] of paths) {
      const seen: Seen = await (await fetch(house.url + path)).json();
      assert.deepEqual([seen.service, seen.path], [service, arrives], path);
    }
  });

  Deno.test(`nothing else is reached, under ${under}`, async () => {
    await using house = await open(basePath);
    const others = ["/functions/v1/_shared/x", "/functions/v1/gateway", "/rest/v2/apps", "/x"];
    for (const path of basePath ? [...others, "/../rest/v1/apps"] : others) {
      const response = await fetch(house.url + path);
      assert.equal(response.status, 404, path);
      await response.body?.cancel();
    }
  });
}

Deno.test("methods, bodies and answers pass unchanged; who asked is told by us alone", async () => {
  await using house = await open("");
  const response = await fetch(`${house.url}/rest/v1/apps`, {
    method: "PATCH",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer a.b.c",
      apikey: "anonymous",
      "x-forwarded-for": "203.0.113.9",
      forwarded: "for=203.0.113.9",
    },
    body: '{"name":"é"}',
  });
  assert.equal(response.status, 207);
  assert.equal(response.headers.get("x-own"), "kept");
  const seen: Seen = await response.json();
  assert.deepEqual([seen.method, seen.body], ["PATCH", '{"name":"é"}']);
  assert.equal(seen.headers.authorization, "Bearer a.b.c");
  assert.equal(seen.headers.apikey, undefined);
  assert.equal(seen.headers.forwarded, undefined);
  assert.equal(seen.headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(seen.headers["x-forwarded-host"], new URL(house.url).host);
});

Deno.test("a redirect of a service reaches the browser as it is", async () => {
  await using house = await open("");
  const response = await fetch(`${house.url}/functions/v1/widget/redirect`, { redirect: "manual" });
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("location"), "https://app.example/callback?code=1");
  await response.body?.cancel();
});

Deno.test("a service that is away is a 503 with a problem, not a broken connection", async () => {
  await using house = await open("");
  await house.closeServices();
  const response = await fetch(`${house.url}/rest/v1/apps`);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal((await response.json()).type, "urn:gatehouse:problem:unavailable");
});

Deno.test("the portal is served with a policy that runs its own scripts only", async () => {
  await using house = await open("/acme-prefix");
  const moved = await fetch(`${house.url}/portal`, { redirect: "manual" });
  assert.equal(moved.headers.get("location"), "/acme-prefix/portal/");
  await moved.body?.cancel();
  const page = await fetch(`${house.url}/portal/`);
  assert.equal(await page.text(), "<!doctype html>");
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self';/);
  assert.match(policy, /connect-src 'self' http:\/\/127\.0\.0\.1:1;/);
  assert.doesNotMatch(policy, /unsafe/);
  for (const outside of ["..%2fsecret.txt", "%2e%2e%2fsecret.txt", "sub/x.js", ".hidden"]) {
    const response = await fetch(`${house.url}/portal/${outside}`);
    assert.equal(response.status, 404, outside);
    await response.body?.cancel();
  }
});

async function open(basePath: string) {
  const dir = await Deno.makeTempDir();
  const portalDir = join(dir, "portal");
  await Deno.mkdir(portalDir);
  await Deno.writeTextFile(join(portalDir, "index.html"), "<!doctype html>");
  await Deno.writeTextFile(join(dir, "secret.txt"), "secret");
  const services = ["postgrest", "public", "internal"].map(service);
  const [postgrest, functionsPublic, functionsInternal] = services.map(address);
  const door = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    frontDoor({
      basePath,
      postgrest: postgrest!,
      functionsPublic: functionsPublic!,
      functionsInternal: functionsInternal!,
      portalDir,
      issuer: "http://127.0.0.1:1",
    }).fetch,
  );
  const closeServices = () => Promise.all(services.map((one) => one.shutdown()));
  return {
    url: address(door) + basePath,
    closeServices,
    async [Symbol.asyncDispose]() {
      await door.shutdown();
      await closeServices();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function service(name: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    if (url.pathname.endsWith("/redirect")) {
      return new Response(null, {
        status: 302,
        headers: { location: "https://app.example/callback?code=1" },
      });
    }
    const seen: Seen = {
      service: name,
      method: request.method,
      path: url.pathname + url.search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    return Response.json(seen, { status: 207, headers: { "x-own": "kept" } });
  });
}

function address(server: Deno.HttpServer<Deno.NetAddr>): string {
  return `http://127.0.0.1:${server.addr.port}`;
}
