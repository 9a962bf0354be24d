// Real PostgREST on a seeded database, real keys, real tokens.
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import type { Sql } from "postgres";
import { frontDoor } from "../../scripts/stack/front_door.ts";
import { type Actor, claims, issuer, ownIssuer, projectId } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { startPostgrest } from "../support/postgrest.ts";
import { seed } from "./matrix/seed.ts";

export interface Key {
  kid: string;
  jwk: JWK;
  sign(body: Record<string, unknown>, header?: { kid?: string }): Promise<string>;
}

export async function newKey(kid: string, alg: "RS256" | "ES256" = "RS256"): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    jwk: { ...await exportJWK(publicKey), kid, alg, use: "sig" },
    sign: (body, header = { kid }) =>
      new SignJWT(body).setProtectedHeader({ alg, typ: "JWT", ...header }).sign(
        privateKey,
      ),
  };
}

/**
 * What PostgREST makes of a refusal by a grant or a policy. It says 401 and not 403, for ZITADEL's tokens carry no role and so
 * everybody is its anonymous role until the hook; the code tells it from a token that is refused (PT401).
 */
export const refusedByGrant = "401 42501";

export interface Answer {
  status: number;
  /** The slug, or Postgres's or PostgREST's code where nobody of ours spoke. */
  slug: string | undefined;
  body: unknown;
}

export interface House extends AsyncDisposable {
  sql: Sql;
  /** PostgREST itself. */
  url: string;
  /** The front door before it: /rest/v1. */
  doorUrl: string;
  zitadel: Key;
  own: Key;
  /** An actor's good token, with some claims changed; undefined takes one away. */
  token(
    actor: Actor,
    change?: Record<string, unknown>,
    key?: Key,
    header?: { kid?: string },
  ): Promise<string>;
  /** The slugs of the tenants that a token reads, or `<status> <slug>`. */
  reads(token: string | undefined, headers?: Record<string, string>): Promise<string>;
  ask(path: string, token: string | undefined, init?: RequestInit): Promise<Answer>;
  /** What a customer would use, through the front door. */
  client(token: string): SupabaseClient;
  anonKey: string;
  publish(name: string, ...keys: Key[]): Promise<unknown>;
}

export async function openHouse(): Promise<House> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createDatabase());
  const { sql } = database;
  await seed(sql);
  const [zitadel, own] = [await newKey("zitadel-1"), await newKey("own-1", "ES256")];
  const publish = (name: string, ...keys: Key[]) =>
    sql`select private.put_verification_keys(${name}, ${
      sql.json(keys.map(({ jwk }) => jwk) as never)
    })`;
  await publish(issuer, zitadel);
  await publish(ownIssuer, own);
  const { url } = stack.use(await startPostgrest(database.url("authenticator")));
  const door = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    frontDoor({
      basePath: "",
      postgrest: url,
      functionsPublic: url,
      functionsInternal: url,
      portalDir: "/nowhere",
      issuer,
    }).fetch,
  );
  stack.defer(() => door.shutdown());
  const now = Math.floor(Date.now() / 1000);
  const anonKey = await own.sign({ iss: ownIssuer, role: "anon", aud: projectId, exp: now + 3600 });
  const opened = stack.move();
  return {
    sql,
    url,
    doorUrl: `http://127.0.0.1:${door.addr.port}/rest/v1`,
    zitadel,
    own,
    anonKey,
    publish,
    token: (actor, change = {}, key = zitadel, header) =>
      key.sign(changed({ ...claims(actor), ...change }), header),
    async reads(token, headers = {}) {
      const { status, slug, body } = await ask(`${url}/tenants?select=slug&order=slug`, token, {
        headers,
      });
      return status === 200
        ? (body as { slug: string }[]).map((row) => row.slug).join(" ")
        : `${status} ${slug}`;
    },
    ask: (path, token, init) => ask(url + path, token, init),
    client: (token) =>
      createClient(`http://127.0.0.1:${door.addr.port}`, anonKey, {
        accessToken: () => Promise.resolve(token),
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function changed(all: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function ask(
  url: string,
  token: string | undefined,
  init: RequestInit = {},
): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (init.body) headers.set("content-type", "application/json");
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  const body = text === "" ? undefined : JSON.parse(text);
  const { code, message } = (body ?? {}) as { code?: string; message?: string };
  return { status: response.status, slug: code?.startsWith("PT") ? message : code, body };
}
