// docs/openapi.json is what the schemas say, tells of every route, and is a document of OpenAPI 3.1.
import assert from "node:assert/strict";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { problems } from "../../functions/_shared/problems.ts";
import { app } from "../../functions/widget/app.ts";
import { assetNames } from "../../functions/widget/assets.ts";
import { openapiDocument, openapiFile, openapiText } from "../../scripts/docs/openapi.ts";
import { operations } from "../../scripts/docs/openapi_routes.ts";
import { root } from "../support/paths.ts";

// deno-lint-ignore no-explicit-any
type Json = any;
// deno-lint-ignore no-explicit-any
const withFormats = addFormats as any;
const document: Json = openapiDocument();

Deno.test("docs/openapi.json is up to date (else: deno task docs)", () => {
  assert.equal(Deno.readTextFileSync(openapiFile), openapiText());
});

Deno.test("it is a document of OpenAPI 3.1, by the initiative's own schema", () => {
  // spec.openapis.org/oas/3.1/schema/2021-04-15, Apache-2.0
  const text = Deno.readTextFileSync(join(root, "test/support/openapi-3.1.schema.json"));
  // Which dialect a schema object is in stays open there; without an answer Ajv takes the whole document for one.
  const schema = JSON.parse(text.replaceAll('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"'));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  withFormats(ajv, ["uri", "uri-reference", "regex", "email"]);
  const valid = ajv.validate(schema, JSON.parse(openapiText()));
  assert.deepEqual(ajv.errors ?? [], []);
  assert.ok(valid);
});

Deno.test("every schema compiles, and every reference leads somewhere", () => {
  const ajv = new Ajv2020({ strict: false });
  withFormats(ajv);
  ajv.addSchema({ $id: "doc", ...document });
  for (const name of Object.keys(document.components.schemas)) {
    ajv.compile({ $ref: `doc#/components/schemas/${name}` });
  }
  const references = [...openapiText().matchAll(/"\$ref": "([^"]+)"/g)].map(([, to]) => to!);
  const paths = new Set(references.map((to) => to.replace("#/components/schemas/", "")));
  assert.ok(references.length > 20);
  assert.deepEqual([...paths].filter((name) => !(name in document.components.schemas)), []);
});

Deno.test("a schema takes what the function takes, and nothing else", () => {
  const ajv = new Ajv2020({ strict: false });
  withFormats(ajv);
  ajv.addSchema({ $id: "doc", ...document });
  const takes = (name: string, value: unknown) =>
    ajv.validate({ $ref: `doc#/components/schemas/${name}` }, value);
  assert.ok(takes("Action", { action: "password", loginName: "vera", password: "x" }));
  assert.ok(!takes("Action", { action: "password", loginName: "vera" }));
  assert.ok(!takes("Action", { action: "password", loginName: "v", password: "x", admin: true }));
  assert.ok(takes("Refresh", { clientId: "1", refreshToken: "r" }));
  assert.ok(!takes("Refresh", { clientId: "1" }));
  assert.ok(takes("SignIn", { clientId: "1", redirectUri: "x", loginName: "v", password: "p" }));
  const ticket = { status: "next", ticket: "t", state: { screen: "recovery_codes", codes: [] } };
  assert.ok(takes("Outcome", ticket));
  assert.ok(!takes("Outcome", { ...ticket, state: { screen: "nowhere" } }));
});

Deno.test("every route that is no page and no file is told of, and no other", () => {
  const pages = ["/login", "/return", "/logout", "/link", "/me", ...assetNames.map((n) => `/${n}`)];
  const there = app.routes
    .filter(({ method, path }) => method !== "ALL" && !path.endsWith("*"))
    .map(({ method, path }) => ({
      method: method.toLowerCase(),
      path: path.replace("/widget", "").replaceAll(/:(\w+)/g, "{$1}"),
    }))
    .filter(({ path }) => !pages.includes(path))
    .map(({ method, path }) => `${method} ${path}`);
  const told = operations.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual([...new Set(there)].toSorted(), told.toSorted());
});

Deno.test("a refusal stands at the status that its slug has", () => {
  for (const [path, methods] of Object.entries<Json>(document.paths)) {
    for (const { responses } of Object.values<Json>(methods)) {
      for (const [status, response] of Object.entries<Json>(responses)) {
        const types = response.content?.["application/problem+json"]?.schema.allOf[1].properties
          .type.enum ?? [];
        for (const type of types) {
          const slug = type.split(":").pop() as keyof typeof problems;
          assert.equal(String(problems[slug]), status, `${path} ${slug}`);
        }
      }
    }
  }
});
