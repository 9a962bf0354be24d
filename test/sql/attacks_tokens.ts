// Tokens that must not work, and those that must, as data: attacks_tokens.test.ts asks the hook about each, mutation/ asks it after each weakening.
import type { TransactionSql } from "postgres";
import {
  type Actor,
  apps,
  bearer,
  claims,
  type Coming,
  issuer,
  ownIssuer,
  people,
  portalClientId,
  projectId,
  sam,
  tenants,
} from "../support/actors.ts";

export interface TokenCase extends Coming {
  id: string;
  attack: string;
  actor: Actor;
  /** Instead of a request's claims: how a request without any comes. */
  then?: (tx: TransactionSql) => Promise<unknown>;
  /** `<status> <slug>`, or what the hook makes of the caller: `<role> <kind> <whose id> <client kind>`. */
  expected: string;
}

type Change = Record<string, unknown>;

/** The actor's claims with some changed; undefined takes one away. */
function held(actor: Actor, change: Change): Record<string, unknown> {
  const all: Record<string, unknown> = { ...claims(actor), ...change };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const anonymousKey = { iss: ownIssuer, role: "anon", aud: projectId };
const own = (actor: Actor, change: Change = {}) =>
  held(actor, { iss: ownIssuer, role: "authenticated", ...change });
/** A client of our own issuer with the portal's client id: ids of clients are an issuer's. */
const ownClient = (tx: TransactionSql) =>
  tx`select private.put_client(${ownIssuer}, ${portalClientId}, 'portal', null, null)`;
const keysApart = (tx: TransactionSql) =>
  tx`update private.verification_keys set kid = 'own-1' where issuer = ${ownIssuer}`;

function group(prefix: string, cases: Omit<TokenCase, "id">[]): TokenCase[] {
  return cases.map((one, index) => ({
    id: `${prefix}-${String(index + 1).padStart(2, "0")}`,
    ...one,
  }));
}

const refused = (
  expected: string,
  attack: string,
  coming: Coming & Pick<TokenCase, "then">,
  actor: Actor = "alice",
) => ({ attack, actor, expected, ...coming }) satisfies Omit<TokenCase, "id">;

const foreign = "401 role_claim_foreign";
const noAudience = "401 audience_refused";
const noAccess = "401 not_an_access_token";
const noMember = "403 tenant_not_member";
const noKey = "401 key_unknown";
const noClient = "401 client_refused";

export const tokenCases: TokenCase[] = [
  ...group("TOK", [
    refused(foreign, "a foreign token with role: service_role", {
      claims: held("alice", { role: "service_role" }),
    }),
    refused(foreign, "a foreign token with role: authenticated", {
      claims: held("alice", { role: "authenticated" }),
    }),
    refused(foreign, "a foreign token with role: gatehouse_platform", {
      claims: held("alice", { role: "gatehouse_platform" }),
    }),
    refused(foreign, "a foreign token with a role and no sub", {
      claims: held("alice", { role: "authenticated", sub: undefined }),
    }),
    refused(noAccess, "our own issuer's token with a role and no sub", {
      claims: own("alice", { sub: undefined }),
      arrange: ownClient,
    }),
    refused("401 role_refused", "our own issuer's token with role: service_role", {
      claims: own("alice", { role: "service_role" }),
      arrange: ownClient,
    }),
    refused("401 role_refused", "the anonymous key with a sub in it", {
      claims: own("alice", { role: "anon" }),
      arrange: ownClient,
    }),
    refused("401 role_refused", "our own issuer's token without a role", {
      claims: own("alice", { role: undefined }),
      arrange: ownClient,
    }),
    refused("401 issuer_unknown", "an issuer that we do not know", {
      claims: held("alice", { iss: "http://evil.test" }),
    }),
    refused("401 issuer_unknown", "no issuer", { claims: held("alice", { iss: undefined }) }),
    refused("401 issuer_unknown", "our issuer with a slash behind", {
      claims: held("alice", { iss: `${issuer}/` }),
    }),
    refused(
      "401 issuer_unknown",
      "nothing but a role: what PostgREST makes up for nobody, and a sub",
      {
        claims: { role: "anon", sub: claims("alice")!.sub },
      },
    ),
    refused(noAudience, "no aud", { claims: held("alice", { aud: undefined }) }),
    refused(noAudience, "the aud of another project", {
      claims: held("alice", { aud: "300000000000000009" }),
    }),
    refused(noAudience, "a list of audiences without ours", {
      claims: held("alice", { aud: [portalClientId] }),
    }),
    refused(noAudience, "our audience as a part of another", {
      claims: held("alice", { aud: [`${projectId}0`] }),
    }),
    refused(noAudience, "our audience as a key of an object", {
      claims: held("alice", { aud: { [projectId]: 1 } }),
    }),
    refused(noAudience, "the anonymous key without aud", {
      claims: { ...anonymousKey, aud: undefined },
    }, "anon"),
    ...["nonce", "at_hash", "c_hash", "amr", "sid"].map((claim) =>
      refused(noAccess, `an ID token: it has ${claim}`, { claims: held("alice", { [claim]: "x" }) })
    ),
    ...["sub", "jti", "client_id", "iat", "exp"].map((claim) =>
      refused(noAccess, `a token without ${claim}`, {
        claims: held("alice", { [claim]: undefined }),
      })
    ),
    refused(noKey, "a key that is no longer published", {
      arrange: (tx) => tx`delete from private.verification_keys where issuer = ${issuer}`,
    }),
    refused(noKey, "a token that names no key", { keyId: null }),
    refused(noKey, "an Authorization header that is no JWT", {
      headers: { authorization: "Bearer not-a-token" },
    }),
    refused(noKey, "an Authorization header of another scheme beside the claims", {
      headers: { authorization: "Basic YWxpY2U6eA==" },
    }),
    refused(noKey, "our own issuer's key under ZITADEL's name", {
      keyId: "own-1",
      arrange: keysApart,
    }),
    refused(noKey, "ZITADEL's key, as alg tells, under our own issuer's name and kid", {
      claims: own("alice"),
      arrange: ownClient,
      headers: { authorization: bearer(own("alice"), undefined, "RS256") },
    }),
    refused(noKey, "our own issuer's key, as alg tells, under ZITADEL's name and kid", {
      headers: { authorization: bearer(claims("alice")!, undefined, "ES256") },
    }),
    refused(noKey, "an alg that nobody signs with", {
      headers: { authorization: bearer(claims("alice")!, undefined, "none") },
    }),
    refused(noKey, "ZITADEL's key under our own issuer's name", {
      claims: own("alice"),
      arrange: keysApart,
    }),
    refused(noClient, "a client that we do not know", {
      claims: held("alice", { client_id: "320000000000000099" }),
    }),
    refused(noClient, "another issuer's client", { claims: own("alice") }),
    refused(noClient, "a disabled application", {
      arrange: (tx) => tx`update public.apps set enabled = false where id = ${apps.A.id}`,
    }, "visitor"),
    ...["suspended", "archived"].map((status) =>
      refused("403 tenant_suspended", `an application of a tenant that is ${status}`, {
        arrange: (tx) => tx`update public.tenants set status = ${status} where id = ${tenants.A}`,
      }, "visitor")
    ),
    ...["disabled", "removed"].map((state) =>
      refused("401 user_inactive", `a user who is ${state}`, {
        arrange: (tx) => tx`update public.users set state = ${state} where id = ${people.alice.id}`,
      })
    ),
    refused("401 token_revoked", "a token from before the user signed out everywhere", {
      arrange: (tx) =>
        tx`update public.users set tokens_valid_after = now() - interval '5 seconds' where id = ${people.alice.id}`,
    }),
    refused(noAccess, "a foreign token without a sub, and the role that PostgREST writes into it", {
      claims: held("alice", { role: "anon", sub: undefined }),
    }),
    refused("401 service_account_disabled", "a disabled service account", {
      arrange: (tx) => tx`update public.service_accounts set enabled = false where id = ${sam.id}`,
    }, "sam"),
  ]),
  ...group("TNT", [
    refused(noMember, "x-tenant-id of a stranger's tenant", { tenantHeader: tenants.A }, "eve"),
    refused(
      noMember,
      "x-tenant-id by who has no row at all",
      { tenantHeader: tenants.A },
      "mallory",
    ),
    refused(
      noMember,
      "x-tenant-id by an end user of the tenant",
      { tenantHeader: tenants.A },
      "visitor",
    ),
    refused(
      noMember,
      "x-tenant-id by a service of another tenant",
      { tenantHeader: tenants.E },
      "sam",
    ),
    refused(noMember, "x-tenant-id of no tenant, by platform staff", {
      tenantHeader: "01990000-0000-7000-8000-00000000ffff",
    }, "pat"),
    refused(noMember, "x-tenant-id by platform staff through a tenant's application", {
      claims: held("pat", { client_id: apps.A.clientId }),
      tenantHeader: tenants.E,
    }, "pat"),
    refused(noMember, "x-tenant-id of the platform, by a tenant's administrator", {
      tenantHeader: "00000000-0000-7000-8000-000000000000",
    }),
    refused(noMember, "x-tenant-id without a token", { tenantHeader: tenants.A }, "anon"),
    refused(noMember, "x-tenant-id with the anonymous key", {
      claims: anonymousKey,
      tenantHeader: tenants.A,
    }, "anon"),
    ...[
      "A",
      tenants.A.toUpperCase(),
      `{${tenants.A}}`,
      tenants.A.replaceAll("-", ""),
      "",
      `${tenants.A} `,
      `x${tenants.A}`,
      `${tenants.A},${tenants.E}`,
    ]
      .map((tenantHeader) =>
        refused("400 tenant_id_malformed", `x-tenant-id: "${tenantHeader}"`, { tenantHeader })
      ),
  ]),
  ...group("WHO", [
    refused("anon", "no token", {}, "anon"),
    refused("anon", "the anonymous key", { claims: anonymousKey }, "anon"),
    refused(
      "authenticated user nobody portal",
      "a good token of somebody without a row",
      {},
      "mallory",
    ),
    refused("authenticated user alice portal", "alice through the portal", {}),
    refused("authenticated user alice portal A", "alice, narrowed", { tenantHeader: tenants.A }),
    refused("authenticated user alice app", "alice through her tenant's own application", {
      claims: held("alice", { client_id: apps.A.clientId }),
    }),
    refused("authenticated user alice app", "alice through another tenant's application", {
      claims: held("alice", { client_id: apps.E.clientId }),
    }),
    refused("authenticated user alice app A", "alice through the application, narrowed", {
      claims: held("alice", { client_id: apps.A.clientId }),
      tenantHeader: tenants.A,
    }),
    refused("authenticated user visitor app", "an end user", {}, "visitor"),
    refused("gatehouse_platform user pat portal", "platform staff", {}, "pat"),
    refused("authenticated user pat portal E", "platform staff, narrowed", {
      tenantHeader: tenants.E,
    }, "pat"),
    refused("authenticated user pat app", "platform staff through a tenant's application", {
      claims: held("pat", { client_id: apps.A.clientId }),
    }, "pat"),
    refused("authenticated service sam service", "a service", {}, "sam"),
    refused("authenticated service sam service", "a service with the portal's client id", {
      claims: held("sam", { client_id: portalClientId }),
    }, "sam"),
    refused(
      "authenticated service sam service",
      "a service with a disabled application's client id",
      {
        claims: held("sam", { client_id: apps.A.clientId }),
        arrange: (tx) => tx`update public.apps set enabled = false where id = ${apps.A.id}`,
      },
      "sam",
    ),
    refused(
      "authenticated user nobody portal",
      "our own issuer's token with alice's sub: another person",
      {
        claims: own("alice"),
        arrange: ownClient,
      },
    ),
    refused(
      "authenticated user nobody portal",
      "our own issuer's token with sam's sub: no service",
      {
        claims: own("sam", { client_id: portalClientId }),
        arrange: ownClient,
      },
      "sam",
    ),
    refused(
      "authenticated user alice portal",
      "a token from after the user signed out everywhere",
      {
        arrange: (tx) =>
          tx`update public.users set tokens_valid_after = now() - interval '1 minute' where id = ${people.alice.id}`,
      },
    ),
    refused("authenticated user alice portal", "an audience that is one text", {
      claims: held("alice", { aud: projectId }),
    }),
    refused(
      "authenticated user alice portal",
      "a token with the role that PostgREST writes into it",
      {
        claims: held("alice", { role: "anon" }),
      },
    ),
    refused("anon", "a request without any claims", {
      then: async (tx) => {
        await tx`select set_config('request.jwt.claims', '', true)`;
        await tx`select private.check_request()`;
      },
    }, "anon"),
    refused("authenticated user visitor app", "another application of the tenant is disabled", {
      arrange: (tx) =>
        tx`insert into public.apps (tenant_id, name, enabled) values (${tenants.A}, 'other', false)`,
    }, "visitor"),
    refused(
      "authenticated user visitor app",
      "another tenant's application of the same id is disabled",
      {
        arrange: (tx) =>
          tx`insert into public.apps (tenant_id, id, name, enabled) values (${tenants.E}, ${apps.A.id}, 'twin', false)`,
      },
      "visitor",
    ),
    refused("authenticated user alice portal", "her tenant is suspended: she may still look", {
      arrange: (tx) => tx`update public.tenants set status = 'suspended' where id = ${tenants.A}`,
    }),
  ]),
];
