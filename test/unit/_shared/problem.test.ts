import assert from "node:assert/strict";
import postgres from "postgres";
import { Problem, problems, toProblem } from "../../../functions/_shared/problem.ts";

const fromDatabase = (fields: Record<string, string>) =>
  Object.assign(new postgres.PostgresError(fields.message ?? ""), fields);

Deno.test("a problem leaves as RFC 9457 with its slug, faults and the request's id", async () => {
  const pointers = [{ pointer: "#/url", detail: "too long" }];
  const problem = new Problem("invalid_request", "No", { pointers });
  const response = problem.toResponse("req-1");
  assert.equal(response.status, 422);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.deepEqual(await response.json(), {
    type: "urn:gatehouse:problem:invalid_request",
    title: "invalid request",
    status: 422,
    detail: "No",
    errors: pointers,
    request_id: "req-1",
  });
});

Deno.test("from 500 on the detail stays inside", async () => {
  const text = await toProblem(new Error("password=hunter2")).toResponse("req-1").text();
  assert.ok(!text.includes("hunter2"));
  assert.ok(text.includes("req-1"));
});

Deno.test("what SQL raises by slug keeps slug, status and sentence", () => {
  const problem = toProblem(
    fromDatabase({ code: "PT409", message: "tenant_suspended", detail: "It is suspended" }),
  );
  assert.deepEqual([problem.slug, problem.status, problem.detail], [
    "tenant_suspended",
    409,
    "It is suspended",
  ]);
});

Deno.test("a refused token says so in www-authenticate", () => {
  const problem = toProblem(fromDatabase({ code: "PT401", message: "token_revoked" }));
  assert.equal(problem.headers["www-authenticate"], 'Bearer error="invalid_token"');
});

Deno.test("a constraint's name is its slug; a row's values are never shown", () => {
  const detail = "Failing row contains (secret)";
  const named = fromDatabase({ code: "23505", constraint_name: "tenant_slug_taken", detail });
  assert.equal(toProblem(named).slug, "tenant_slug_taken");
  for (const code of ["23505", "23503", "23502", "23514", "22P02", "42501", "40001", "57P01"]) {
    const problem = toProblem(fromDatabase({ code, constraint_name: "x", message: "m", detail }));
    assert.notEqual(problem.slug, "internal", code);
    assert.ok(!problem.detail.includes("secret"), code);
  }
  assert.equal(toProblem(fromDatabase({ code: "XX000", message: "m" })).slug, "internal");
});

Deno.test("a lost database is 503", () => {
  for (const code of ["CONNECTION_CLOSED", "CONNECT_TIMEOUT", "ECONNREFUSED"]) {
    const lost = toProblem(Object.assign(new Error("x"), { code }));
    assert.equal(lost.slug, "database_unavailable", code);
  }
});

Deno.test("every slug that SQL raises or a unique constraint names is in the table with its status", async () => {
  const missing: string[] = [];
  const expect = (slug: string, status: number, file: string) => {
    const known = (problems as Record<string, number>)[slug];
    if (known !== status) missing.push(`${file}: ${slug} is ${status}, the table says ${known}`);
  };
  for await (const file of sqlFiles(new URL("../../../sql/", import.meta.url))) {
    const text = await Deno.readTextFile(file);
    const name = file.pathname.split("/sql/")[1]!;
    for (const [, status, slug] of text.matchAll(/errcode = 'PT(\d{3})',\s*message = '(\w+)'/g)) {
      expect(slug!, Number(status), name);
    }
    for (const [, status, slug] of text.matchAll(/refuse\(\s*(\d{3}),\s*'(\w+)'/g)) {
      expect(slug!, Number(status), name);
    }
    for (const [, slug] of text.matchAll(/constraint (\w+) unique/g)) expect(slug!, 409, name);
    for (const [, slug] of text.matchAll(/constraint (\w+) check/g)) expect(slug!, 422, name);
  }
  assert.deepEqual(missing, []);
});

async function* sqlFiles(folder: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(folder)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), folder);
    if (entry.isDirectory) yield* sqlFiles(url);
    else if (entry.name.endsWith(".sql")) yield url;
  }
}
