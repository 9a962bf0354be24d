// docs/openapi.json: the widget function's API for programs and for who builds a sign-in page of their own, from the zod schemas that check it.
// Next: openapi_routes.ts (what there is).
import { join } from "node:path";
import { z } from "zod";
import { problems } from "../../functions/_shared/problems.ts";
import { root } from "../stack/layout.ts";
import { answers, type Operation, operations, requests } from "./openapi_routes.ts";

export const openapiFile = join(root, "docs/openapi.json");

type Json = Record<string, unknown>;

export const openapiText = () => JSON.stringify(openapiDocument(), null, 2) + "\n";

export function openapiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = operationObject(operation);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Gatehouse: signing in",
      version: "1",
      description:
        "What the function `widget` answers: the flows of the sign-in page and of inline pages, the account page, the programs' API, and what a tenant " +
        "published. Written by `deno task docs` from the schemas that check each request; do not edit. A refusal is a problem (RFC 9457): match its " +
        "slug and status, never the text; what each slug means is in docs/errors.md.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{
      url: "https://gatehouse.example/functions/v1/widget",
      description: "Where Gatehouse is, with its path prefix if it has one",
    }],
    tags: [
      { name: "flows", description: "A sign-in, screen by screen: functions/widget/contract.ts" },
      {
        name: "account",
        description: "The person's own page: functions/widget/account_contract.ts",
      },
      {
        name: "programs",
        description: "Signing in without a browser: functions/widget/api/contract.ts",
      },
      { name: "published", description: "What a tenant published, and how to embed it" },
    ],
    paths,
    components: {
      schemas: { ...schemas("input", requests), ...schemas("output", answers), Problem: problem },
      securitySchemes: {
        person: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "The issuer's access token of somebody who may see the application",
        },
        application: {
          type: "http",
          scheme: "basic",
          description:
            "Client id and secret of a confidential application; a public one sends none",
        },
        flow: {
          type: "apiKey",
          in: "header",
          name: "x-gatehouse-flow",
          description: "`flow` of the last answer. On our own page the flow's cookie goes with it",
        },
        browser: {
          type: "apiKey",
          in: "cookie",
          name: "gatehouse_accounts",
          description: "What this browser is signed in with; sealed, http-only, same-site",
        },
      },
    },
  };
}

function operationObject(operation: Operation): Json {
  const { id, tag, summary, request, ok, refusals, security, parameters } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(parameters ? { parameters } : {}),
    ...(request
      ? {
        requestBody: { required: true, content: { "application/json": { schema: ref(request) } } },
      }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(ok).map(([status, { description, schema, type }]) => [status, {
          description,
          ...(schema || type
            ? {
              content: {
                [type ?? "application/json"]: schema ? { schema: ref(schema) } : {},
              },
            }
            : {}),
        }]),
      ),
      ...refusalsOf(refusals),
    },
    security: security ?? [],
  };
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** By status, with every slug that comes with it. */
function refusalsOf(slugs: readonly (keyof typeof problems)[]): Json {
  const statuses = Map.groupBy(slugs, (slug) => problems[slug]);
  return Object.fromEntries(
    [...statuses].sort(([a], [b]) => a - b).map(([status, slugs]) => [String(status), {
      description: slugs.join(", "),
      ...(status === 429
        ? {
          headers: {
            "retry-after": { description: "Seconds to wait", schema: { type: "integer" } },
          },
        }
        : {}),
      content: {
        "application/problem+json": {
          schema: {
            allOf: [ref("Problem"), {
              type: "object",
              properties: { type: { enum: slugs.map((slug) => `urn:gatehouse:problem:${slug}`) } },
            }],
          },
        },
      },
    }]),
  );
}

/** Each schema under its name, and where one holds another, a reference. */
function schemas(io: "input" | "output", named: Record<string, z.ZodType>): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    target: "draft-2020-12",
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}

const problem = {
  description: "RFC 9457. `detail` is absent from 500 on.",
  type: "object",
  required: ["type", "title", "status"],
  properties: {
    type: { type: "string", format: "uri", description: "urn:gatehouse:problem: and the slug" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "For people who read logs; it may change" },
    errors: {
      type: "array",
      description: "One fault each; `pointer` is a JSON pointer as a URI fragment",
      items: {
        type: "object",
        required: ["pointer", "detail"],
        properties: { pointer: { type: "string" }, detail: { type: "string" } },
      },
    },
    request_id: { type: "string" },
  },
};
