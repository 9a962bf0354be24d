// PRA: definers of providers asked by who may only read, and by who may, about what is not there or another's of the same id.
import type { TransactionSql } from "postgres";
import { tenants } from "../support/actors.ts";
import { type Attack, attacks, changes, peek, values } from "./attacks_cases.ts";

const notAllowed = "403 not_allowed";
const notFound = "404 provider_not_found";
const nobody = "01990000-0000-7000-8000-00000000ffff";
/** Of a provider of E, and of one of A: ids are a tenant's, so this may happen. */
const twin = "01990000-0000-7000-8000-0000000009a1";
const [other, saml] = [
  "01990000-0000-7000-8000-0000000009a2",
  "01990000-0000-7000-8000-0000000009a3",
];

const open = (id: string) => `select private.open_provider('${tenants.A}', '${id}')`;
const give = (id: string) =>
  `select private.put_provider_secret('${tenants.A}', '${id}', 'k1', '\\x01')`;
const note = (id: string) =>
  `select private.note_provider_endpoints('${tenants.A}', '${id}', '{https://keys.example}')`;

/** E's comes first, so that a look without the tenant finds it before A's. */
async function twins(tx: TransactionSql): Promise<void> {
  const rows = [
    [tenants.E, twin, "oidc", "theirs"],
    [tenants.A, other, "oidc", "another"],
    [tenants.A, saml, "saml", "federation"],
    [tenants.A, twin, "oidc", "hers"],
  ];
  for (const [tenant, id, kind, name] of rows) {
    await tx`insert into public.providers (tenant_id, id, kind, name, settings)
      values (${tenant!}, ${id!}, ${kind!}, ${name!}, ${
      tx.json(kind === "oidc" ? { clientId: name! } : {})
    })`;
  }
}

/** After it: which providers a statement reached. */
const reached = (statement: string, column: string) => async (tx: TransactionSql) => {
  await changes(statement)(tx);
  return await peek(
    tx,
    `select name from public.providers where ${column} order by tenant_id, name`,
  );
};
const noted = "endpoints = '{https://keys.example}'";
const given = "credential_set_at is not null";

export const providerAttacks: Attack[] = attacks("PRA", [
  ...[open, give, note].map((call) => ({
    attack: `audrey, who may only read providers, asks: ${call("…").split("(")[0]!.slice(15)}`,
    actor: "audrey" as const,
    arrange: twins,
    try: changes(call(twin)),
    expected: notAllowed,
  })),
  ...[open, give].map((call) => ({
    attack: `alice asks about one that is not there: ${call("…").split("(")[0]!.slice(15)}`,
    actor: "alice" as const,
    try: changes(call(nobody)),
    expected: notFound,
  })),
  {
    attack: "alice opens her provider whose id E's has too, and which is not her only one",
    actor: "alice",
    arrange: twins,
    try: values(`${open(twin)} -> 'settings' ->> 'clientId'`),
    expected: '["hers"]',
  },
  {
    attack: "alice gives her provider a secret: E's of the same id, and her others, have none",
    actor: "alice",
    arrange: twins,
    try: reached(give(twin), given),
    expected: '["hers"]',
  },
  {
    attack: "alice gives a secret to a SAML provider, which has none",
    actor: "alice",
    arrange: twins,
    try: reached(give(saml), given),
    expected: notFound,
  },
  {
    attack:
      "alice's provider keeps what its discovery named: E's of the same id, and her others, do not",
    actor: "alice",
    arrange: twins,
    try: reached(note(twin), noted),
    expected: '["hers"]',
  },
  {
    attack: "a SAML provider has no discovery to keep anything of",
    actor: "alice",
    arrange: twins,
    try: reached(note(saml), noted),
    expected: "[]",
  },
  {
    attack: "what was kept already is not written again",
    actor: "alice",
    arrange: twins,
    try: async (tx) => {
      await changes(note(twin))(tx);
      const versions = "select xmin::text || ctid::text from public.providers where name = 'hers'";
      const before = await values(versions)(tx);
      await changes(note(twin))(tx);
      return JSON.stringify(await values(versions)(tx)) === JSON.stringify(before);
    },
    expected: "true",
  },
]);
