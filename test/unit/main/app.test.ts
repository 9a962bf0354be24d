import assert from "node:assert/strict";
import { newApp } from "../../../functions/_shared/app.ts";
import { functionNames, loadFunctions, mainApp } from "../../../functions/main/app.ts";

const echo = newApp("echo");
echo.all("/*", async (c) =>
  c.json({
    path: c.req.path,
    query: c.req.query("q"),
    body: await c.req.text(),
    address: c.var.request.address,
  }));

let stopping = false;
let ready = true;
const main = mainApp({
  functions: new Map([["echo", echo.fetch]]),
  stopping: () => stopping,
  ready: () => ready ? Promise.resolve() : Promise.reject(new Error("no database")),
});
const call = async (path: string, init?: RequestInit) =>
  await main(new Request("http://x" + path, init), { remoteAddr: { hostname: "192.0.2.4" } });

Deno.test("a function sees its own path, as Supabase hands it on", async () => {
  const response = await call("/functions/v1/echo/a/b?q=1", { method: "POST", body: "hi" });
  assert.deepEqual(await response.json(), {
    path: "/echo/a/b",
    query: "1",
    body: "hi",
    address: "192.0.2.4",
  });
});

Deno.test("a function that this process does not have is not found", async () => {
  for (
    const path of ["/functions/v1/other/x", "/functions/v1/", "/echo/x", "/functions/v1/_worker"]
  ) {
    const response = await call(path);
    assert.equal(response.status, 404, path);
    assert.equal((await response.json()).type, "urn:gatehouse:problem:not_found");
  }
});

Deno.test("alive is not ready: no database or a stop asked for is 503 on /ready only", async () => {
  assert.equal((await call("/ready")).status, 200);
  ready = false;
  assert.equal((await call("/ready")).status, 503);
  ready = true;
  stopping = true;
  assert.deepEqual([(await call("/ready")).status, (await call("/health")).status], [503, 200]);
  stopping = false;
});

Deno.test("every function loads by name; an unknown name is refused with the known ones", async () => {
  const loaded = await loadFunctions(functionNames);
  assert.deepEqual([...loaded.keys()].sort(), [...functionNames].sort());
  await assert.rejects(loadFunctions(["nope"]), /"nope".*session/);
});
