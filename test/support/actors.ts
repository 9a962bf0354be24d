// The fixed cast of the tests of who may, and how each of them comes in.
import type { Sql, TransactionSql } from "postgres";
import { checkCatalogueOfTransaction } from "./catalogue.ts";

export const issuer = "http://zitadel.test";
export const ownIssuer = "http://gatehouse.test/functions/v1/session";
export const projectId = "300000000000000001";
export const portalClientId = "310000000000000001";
export const platform = "00000000-0000-7000-8000-000000000000";

/** The key that every token of the cast names. */
export const kid = "key-1";

export const tenants = {
  A: "01990000-0000-7000-8000-00000000000a",
  E: "01990000-0000-7000-8000-00000000000e",
} as const;

/** An application of each tenant; `clientId` is what its tokens carry. */
export const apps = {
  A: { id: "01990000-0000-7000-8000-0000000000a1", clientId: "320000000000000001" },
  E: { id: "01990000-0000-7000-8000-0000000000e1", clientId: "320000000000000005" },
} as const;

export type Actor =
  | "alice"
  | "bob"
  | "audrey"
  | "eve"
  | "visitor"
  | "mallory"
  | "sam"
  | "pat"
  | "anon";

interface Person {
  id: string;
  subject: string;
  home: string | null;
  role?: { tenant: string; key: string };
  /** The client the person comes through. Default: the portal. */
  clientId?: string;
}

/** Everybody with a row in users. Mallory is a stranger: a good token of the portal, and no row. */
export const people = {
  alice: person(1, tenants.A, "tenant_admin"),
  bob: person(2, tenants.A, "tenant_member"),
  audrey: person(3, tenants.A, "auditor"),
  eve: person(4, tenants.E, "tenant_admin"),
  visitor: { ...person(5, tenants.A), clientId: apps.A.clientId },
  pat: person(6, null, "platform_admin"),
} satisfies Record<string, Person>;

/** A service of tenant A, with the role of a member there. */
export const sam = { id: "01990000-0000-7000-8000-000000000507", subject: "330000000000000007" };

function person(number: number, home: string | null, role?: string): Person {
  return {
    id: `01990000-0000-7000-8000-00000000050${number}`,
    subject: `33000000000000000${number}`,
    home,
    role: role === undefined ? undefined : { tenant: home ?? platform, key: role },
  };
}

/** The claims of ZITADEL's access token (type JWT) as each of them holds it; null: comes without a token. */
export function claims(actor: Actor, now = Date.now()): Record<string, unknown> | null {
  if (actor === "anon") return null;
  const seconds = Math.floor(now / 1000);
  const { subject, clientId = portalClientId } = actor === "mallory"
    ? { subject: "330000000000000099" }
    : actor === "sam"
    ? { subject: sam.subject, clientId: sam.subject }
    : people[actor] as Person;
  return {
    iss: issuer,
    sub: subject,
    aud: [clientId, projectId],
    client_id: clientId,
    jti: `V2_${subject}-at_1`,
    iat: seconds - 10,
    nbf: seconds - 10,
    exp: seconds + 590,
  };
}

/** An Authorization header whose token names `kid`. PostgREST checked the signature before; SQL reads the head only. */
export function bearer(
  body: Record<string, unknown>,
  keyId: string | null = kid,
  alg = body.iss === ownIssuer ? "ES256" : "RS256",
): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  const head = { alg, typ: "JWT", ...(keyId === null ? {} : { kid: keyId }) };
  return `Bearer ${part(head)}.${part(body)}.c2lnbmF0dXJl`;
}

/** Writes the cast into an empty, migrated database; run as the superuser. */
export async function arrangeCast(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select private.put_issuer(${issuer}, 'zitadel', ${projectId}, ${
      issuer + "/oauth/v2/keys"
    }),
      private.put_issuer(${ownIssuer}, 'gatehouse', ${projectId}, ${ownIssuer + "/keys"})`;
    const keys = {
      [issuer]: { kty: "RSA", kid, n: "AQAB", e: "AQAB" },
      [ownIssuer]: { kty: "EC", kid, crv: "P-256", x: "AQAB", y: "AQAB" },
    };
    for (const [one, key] of Object.entries(keys)) {
      await tx`select private.put_verification_keys(${one}, ${tx.json([key])})`;
    }
    await tx`select private.put_client(${issuer}, ${portalClientId}, 'portal', null, null)`;
    for (const [name, id] of Object.entries(tenants)) {
      const organization = `34000000000000000${name === "A" ? 1 : 5}`;
      await tx`
        insert into public.tenants (id, slug, name, organization_id)
        values (${id}, ${`tenant-${name.toLowerCase()}`}, ${`Tenant ${name}`}, ${organization})`;
      await tx`update public.provisioning_steps set state = 'ok' where tenant_id = ${id}`;
      await tx`update public.tenants set status = 'active', activated_at = now() where id = ${id}`;
      const app = apps[name as keyof typeof apps];
      await tx`
        insert into public.apps (tenant_id, id, name, redirect_uris, state, client_id)
        values (${id}, ${app.id}, 'shop', ${[
        "https://shop.example/callback",
      ]}, 'active', ${app.clientId})`;
      await tx`select private.put_client(${issuer}, ${app.clientId}, 'app', ${id}, ${app.id})`;
    }
    for (
      const [name, { id, subject, home, role }] of Object.entries(people as Record<string, Person>)
    ) {
      await tx`
        insert into public.users (id, issuer, subject, home_tenant_id, login_name, display_name)
        values (${id}, ${issuer}, ${subject}, ${home}, ${name}, ${name})`;
      if (role) {
        await tx`insert into public.assignments (tenant_id, user_id, role_key) values (${role.tenant}, ${id}, ${role.key})`;
      }
    }
    await tx`
      insert into public.service_accounts (tenant_id, id, name, issuer, subject)
      values (${tenants.A}, ${sam.id}, 'sam', ${issuer}, ${sam.subject})`;
    await tx`
      insert into public.assignments (tenant_id, service_account_id, role_key)
      values (${tenants.A}, ${sam.id}, 'tenant_member')`;
  });
}

export interface Coming {
  /** x-tenant-id */
  tenantHeader?: string;
  /** Further headers, names in lower case. */
  headers?: Record<string, string>;
  /** Instead of the actor's own claims. */
  claims?: Record<string, unknown> | null;
  /** The key that the token names; null: names none. */
  keyId?: string | null;
  /** Runs in the same transaction as the session's own role, before the request: for arranging what is then undone. */
  arrange?: (tx: TransactionSql) => Promise<unknown>;
}

/**
 * One request of an actor as PostgREST makes it: a transaction with the request's settings and the token's role, the hook,
 * then `fn`; rolled back. `sql` must be a superuser or authenticator. Rejects with what the hook or `fn` raised.
 */
export async function as<T>(
  sql: Sql,
  actor: Actor,
  fn: (tx: TransactionSql) => Promise<T>,
  coming: Coming = {},
): Promise<T> {
  const held = coming.claims === undefined ? claims(actor) : coming.claims;
  const headers = {
    ...(held === null ? {} : { authorization: bearer(held, coming.keyId) }),
    ...(coming.tenantHeader === undefined ? {} : { "x-tenant-id": coming.tenantHeader }),
    ...coming.headers,
  };
  let result: { value: T } | undefined;
  try {
    await sql.begin(async (tx) => {
      await coming.arrange?.(tx);
      await tx`
        select set_config('request.jwt.claims', ${JSON.stringify(held ?? { role: "anon" })}, true),
          set_config('request.headers', ${JSON.stringify(headers)}, true),
          set_config('request.method', 'POST', true),
          set_config('role', ${String(held?.role ?? "anon")}, true)`;
      await tx`select private.check_request()`;
      result = { value: await fn(tx) };
      await checkCatalogueOfTransaction(tx);
      throw rollback;
    });
  } catch (error) {
    if (error !== rollback) throw error;
  }
  return result!.value;
}

/** The same, and committed: for what others must see, or wait for. `sql` as authenticator. */
export async function committedAs<T>(
  sql: Sql,
  actor: Actor,
  fn: (tx: TransactionSql) => Promise<T>,
): Promise<T> {
  const held = claims(actor)!;
  return await sql.begin(async (tx) => {
    await tx`
      select set_config('request.jwt.claims', ${JSON.stringify(held)}, true),
        set_config('request.headers', ${JSON.stringify({ authorization: bearer(held) })}, true),
        set_config('role', 'anon', true)`;
    await tx`select private.check_request()`;
    return await fn(tx);
  }) as T;
}

const rollback = Symbol("rollback");

/** The slug and status of a refusal: `{ slug: "not_allowed", status: 403 }`. For `assert.rejects`. */
export function refusal(slug: string, status: number) {
  return { message: slug, code: `PT${status}` };
}
