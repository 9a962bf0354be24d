import assert from "node:assert/strict";
import { join } from "node:path";
import { parseOptions } from "../../../scripts/start.ts";
import { addresses, portsFrom, root } from "../../../scripts/stack/layout.ts";

Deno.test("npm start without options uses .stack in the checkout and keeps what it had", () => {
  assert.deepEqual(parseOptions([]), {
    dir: join(root, ".stack"),
    port: undefined,
    basePath: undefined,
    host: undefined,
    fresh: false,
    demo: true,
  });
});

Deno.test("a base path loses its last slash, and / means none", () => {
  assert.equal(parseOptions(["--base-path", "/acme-prefix/"]).basePath, "/acme-prefix");
  assert.equal(parseOptions(["--base-path", "/"]).basePath, "");
});

Deno.test("options that make no sense are refused", () => {
  const wrongs = [
    ["--port", "70000"],
    ["--port", "1.5"],
    ["--base-path", "/a b"],
    ["--host", "gatehouse.example"],
  ];
  for (const wrong of wrongs) {
    assert.throws(() => parseOptions(wrong), TypeError, wrong.join(" "));
  }
});

Deno.test("our addresses stand under the base path, the issuer's never does", () => {
  const { apiUrl, functionsUrl, portalUrl, loginUrl, ownIssuer, issuer } = addresses(
    portsFrom(8000),
    { basePath: "/acme-prefix", host: "127.0.0.1" },
  );
  const origin = "http://127.0.0.1:8000/acme-prefix";
  assert.deepEqual({ apiUrl, functionsUrl, portalUrl, loginUrl, ownIssuer, issuer }, {
    apiUrl: origin,
    functionsUrl: `${origin}/functions/v1`,
    portalUrl: `${origin}/portal/`,
    loginUrl: `${origin}/functions/v1/widget/login`,
    ownIssuer: `${origin}/functions/v1/session`,
    issuer: "http://127.0.0.1:8001",
  });
});

Deno.test("by name our addresses, and no other's, are where browsers take passkeys", () => {
  const { host } = parseOptions(["--host", "localhost"]);
  const { apiUrl, issuer } = addresses(portsFrom(8000), { basePath: "", host: host! });
  assert.deepEqual([apiUrl, issuer], ["http://localhost:8000", "http://127.0.0.1:8001"]);
});
