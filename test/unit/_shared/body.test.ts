import assert from "node:assert/strict";
import { z } from "zod";
import { newApp } from "../../../functions/_shared/app.ts";
import { body, pointer } from "../../../functions/_shared/body.ts";

const Schema = z.strictObject({
  name: z.string().min(1),
  uris: z.array(z.url()),
  "a/b~c": z.int().optional(),
});
const app = newApp("test");
app.post("/", async (c) => c.json(await body(c, Schema, { maxBytes: 200 })));

async function post(content: BodyInit, headers: Record<string, string> = {}) {
  const response = await app.request("/test", {
    method: "POST",
    body: content,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, json: await response.json() };
}

Deno.test("a body as the schema says reaches the handler", async () => {
  const { status, json } = await post('{"name":"x","uris":["https://a.example"]}');
  assert.equal(status, 200);
  assert.deepEqual(json, { name: "x", uris: ["https://a.example"] });
});

Deno.test("every fault has its JSON pointer", async () => {
  const { status, json } = await post('{"name":"","uris":["x"],"a/b~c":"1","more":1,"other":2}');
  assert.equal(status, 422);
  assert.equal(json.type, "urn:gatehouse:problem:invalid_request");
  assert.deepEqual(
    json.errors.map((fault: { pointer: string }) => fault.pointer).sort(),
    ["#/a~1b~0c", "#/more", "#/name", "#/other", "#/uris/0"],
  );
});

Deno.test("what is not JSON, not UTF-8 or not declared as JSON is refused by name", async () => {
  assert.equal((await post("{")).json.type, "urn:gatehouse:problem:malformed_json");
  assert.equal(
    (await post(new Uint8Array([0x22, 0xff, 0x22]))).json.type,
    "urn:gatehouse:problem:malformed_json",
  );
  for (const type of ["text/plain", "application/jsonp", "application/x-www-form-urlencoded"]) {
    assert.equal((await post("{}", { "content-type": type })).status, 415, type);
  }
  assert.equal(
    (await post("[]", { "content-type": "application/json; charset=utf-8" })).status,
    422,
  );
});

Deno.test("a body is no longer than its limit, whatever its header says", async () => {
  assert.equal((await post(`{"name":"${"x".repeat(300)}"}`)).status, 413);
  const streamed = new Request("http://x/test", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Blob(["x".repeat(300)]).stream(),
  });
  assert.equal((await app.request(streamed)).status, 413);
});

Deno.test("pointers are escaped as RFC 6901 asks", () => {
  assert.equal(pointer([]), "#");
  assert.equal(pointer(["a/b", "~", 0, "ü"]), "#/a~1b/~0/0/%C3%BC");
});
