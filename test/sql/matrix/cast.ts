// Who asks in the matrix: the cast of test/support/actors.ts, a few more, and one holder of every single right.
// A name tells how they come: `alice` through the portal, `alice/app` through tenant A's own application, `alice@A` with x-tenant-id.
import {
  type Actor,
  apps,
  bearer,
  claims,
  people as cast,
  platform,
  portalClientId,
  sam,
  tenants as castTenants,
} from "../../support/actors.ts";

/** Every tenant of the seed: A and E active, S suspended, P the platform itself. */
export const tenants = { ...castTenants, S: "01990000-0000-7000-8000-000000000015", P: platform };
export type Label = keyof typeof tenants;
export const labels = Object.keys(tenants) as Label[];

export type Role = "anon" | "authenticated" | "gatehouse_platform";

export interface Principal {
  name: string;
  /** The database role that the hook is to choose. */
  role: Role;
  /** users.id; null for who has no row there. */
  userId: string | null;
  claims: Record<string, unknown> | null;
  headers: Record<string, string>;
  /** False: the role alone, as if the hook had not run. */
  hooked: boolean;
  /** The one right held, in tenant A (`tenant`) or on the platform. */
  only?: { right: string; scope: "tenant" | "platform" };
}

interface Person {
  id: string;
  subject: string;
  home: Label | null;
  roles: [Label, string][];
}

const person = (number: number, home: Label | null, ...roles: [Label, string][]): Person => ({
  id: `01990000-0000-7000-8000-000000000${600 + number}`,
  subject: `330000000000000${600 + number}`,
  home,
  roles,
});

/** More than test/support/actors.ts has. */
export const extras: Record<string, Person> = {
  sue: person(1, "S", ["S", "tenant_admin"]),
  dora: person(2, null, ["A", "tenant_admin"], ["E", "tenant_admin"]),
  olive: person(3, null, ["P", "platform_auditor"]),
  max: person(4, null, ["A", "tenant_member"], ["E", "tenant_admin"]),
};

/** Somebody of each tenant who asks nothing and is acted upon. */
export const bystanders: Record<Label, Person> = {
  A: person(11, "A"),
  E: person(12, "E"),
  S: person(13, "S"),
  P: person(14, null),
};

const rights = [
  "tenants",
  "users",
  "access",
  "apps",
  "providers",
  "webhooks",
  "widgets",
  "audit",
  "events",
  "settings",
]
  .flatMap((domain) => [`${domain}.read`, `${domain}.write`]);

export interface Only extends Person {
  name: string;
  right: string;
  scope: "tenant" | "platform";
  role: string;
}

/** One person for each right and scope, who holds that right and no other. */
export const onlies: Only[] = (["tenant", "platform"] as const).flatMap((scope, half) =>
  rights.map((right, index) => {
    const role = `${scope}_only_${right.replace(".", "_")}`;
    const label = scope === "tenant" ? "A" : "P";
    return {
      ...person(100 + half * 50 + index, null, [label, role]),
      name: `${scope === "tenant" ? "" : "staff "}only ${right}`,
      right,
      scope,
      role,
    };
  })
);

interface Entrance {
  app?: boolean;
  narrowed?: Label;
}

function comes(name: string, { app, narrowed }: Entrance = {}): Principal {
  const known = name in extras ? extras[name]! : onlies.find((only) => only.name === name);
  const base = claims(known ? "alice" : name as Actor);
  const held = base && {
    ...base,
    ...(known ? { sub: known.subject } : {}),
    ...(app ? { client_id: apps.A.clientId, aud: [apps.A.clientId, base.aud].flat() } : {}),
  };
  const staff = ["pat", "olive"].includes(name) || name.startsWith("staff ");
  return {
    name: name + (app ? "/app" : "") + (narrowed ? `@${narrowed}` : ""),
    role: held === null
      ? "anon"
      : staff && !app && !narrowed
      ? "gatehouse_platform"
      : "authenticated",
    userId: known?.id ?? (name in cast ? cast[name as keyof typeof cast].id : null),
    claims: held,
    headers: {
      ...(held ? { authorization: bearer(held) } : {}),
      ...(narrowed ? { "x-tenant-id": tenants[narrowed] } : {}),
    },
    hooked: true,
  };
}

const unhooked = (role: Role): Principal => ({
  ...comes("alice"),
  name: `${role} without the hook`,
  role,
  userId: null,
  hooked: false,
});

export const principals: Principal[] = [
  comes("anon"),
  comes("mallory"),
  comes("visitor"),
  comes("bob"),
  comes("audrey"),
  comes("alice"),
  comes("alice", { narrowed: "A" }),
  comes("alice", { app: true }),
  comes("sam"),
  comes("eve"),
  comes("sue"),
  comes("dora"),
  comes("dora", { narrowed: "A" }),
  comes("max"),
  comes("max", { narrowed: "A" }),
  comes("pat"),
  comes("pat", { narrowed: "A" }),
  comes("pat", { narrowed: "S" }),
  comes("pat", { app: true }),
  comes("olive"),
  comes("olive", { narrowed: "A" }),
  unhooked("authenticated"),
  unhooked("gatehouse_platform"),
];

/** Holders of one right. Settings are the platform's alone, so their rights mean nothing in a tenant. */
export const holders: Principal[] = onlies.map(({ name, right, scope }) => ({
  ...comes(name),
  only: { right, scope },
}));

export { portalClientId, sam };
