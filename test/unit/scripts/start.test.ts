import assert from "node:assert/strict";
import { join } from "node:path";
import { parseOptions } from "../../../scripts/start.ts";
import { addresses, portsFrom, root } from "../../../scripts/stack/layout.ts";

Deno.test("npm start without options uses .stack in the checkout and keeps what it had", () => {
  assert.deepEqual(parseOptions([]), {
    dir: join(root, ".stack"),
    port: undefined,
    basePath: undefined,
    fresh: false,
    demo: true,
  });
});

Deno.test("a base path loses its last slash, and / means none", () => {
  assert.equal(parseOptions(["--base-path", "/acme-prefix/"]).basePath, "/acme-prefix");
  assert.equal(parseOptions(["--base-path", "/"]).basePath, "");
});

Deno.test("options that make no sense are refused", () => {
  for (const wrong of [["--port", "70000"], ["--port", "1.5"], ["--base-path", "/a b"]]) {
    assert.throws(() => parseOptions(wrong), TypeError, wrong.join(" "));
  }
});

Deno.test("our addresses stand under the base path, the issuer's never does", () => {
  const { apiUrl, functionsUrl, portalUrl, loginUrl, ownIssuer, issuer } = addresses(
    portsFrom(8000),
    { basePath: "/acme-prefix" },
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
