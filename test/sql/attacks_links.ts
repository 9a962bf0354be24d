// LNK: a link makes whoever has it the person. So it takes all that the person may, and is for nobody of the platform's.
import type { TransactionSql } from "postgres";
import { people, platform, tenants } from "../support/actors.ts";
import { type Attack, attacks, values } from "./attacks_cases.ts";

const { alice, bob, eve, pat, visitor } = people;
const nobody = "01990000-0000-7000-8000-00000000ffff";
const notAllowed = "403 not_allowed";
const ask = (user: string) =>
  values(`select private.begin_user_link('${user}', 'reset', 'link') ->> 'subject'`);

const give = (tenant: string, user: string, role: string) => (tx: TransactionSql) =>
  tx`insert into public.assignments (tenant_id, user_id, role_key) values (${tenant}, ${user}, ${role})`;

/** Bob may do one thing only, and so may have links. */
async function bobHelps(tx: TransactionSql): Promise<void> {
  await tx`insert into public.roles (key, scope, description) values ('helpdesk', 'tenant', 'Helps')`;
  await tx`insert into public.role_rights values ('helpdesk', 'users.write')`;
  await tx`delete from public.assignments where user_id = ${bob.id}`;
  await give(tenants.A, bob.id, "helpdesk")(tx);
}

const strangers = ["bob", "audrey", "eve", "visitor", "sam", "mallory"] as const;

export const linkAttacks: Attack[] = attacks("LNK", [
  {
    attack: "alice asks for a link to somebody of another tenant",
    actor: "alice",
    try: ask(eve.id),
    expected: notAllowed,
  },
  ...strangers.map((actor) => ({
    attack: `${actor} asks for a link to a visitor of A`,
    actor,
    try: ask(visitor.id),
    expected: notAllowed,
  })),
  {
    attack: "alice asks for a link to nobody, and learns nothing",
    actor: "alice",
    try: ask(nobody),
    expected: notAllowed,
  },
  {
    attack: "platform staff asks for a link to nobody",
    actor: "pat",
    try: ask(nobody),
    expected: "404 user_not_found",
  },
  {
    attack: "platform staff asks for a link to itself",
    actor: "pat",
    try: ask(pat.id),
    expected: "403 platform_user_refused",
  },
  {
    attack: "platform staff asks for a link to one of the platform's own tenant",
    actor: "pat",
    arrange: (tx) =>
      tx`update public.users set home_tenant_id = ${platform} where id = ${visitor.id}`,
    try: ask(visitor.id),
    expected: "403 platform_user_refused",
  },
  {
    attack: "alice asks for a link to one of her people who is platform staff too",
    actor: "alice",
    arrange: give(platform, bob.id, "platform_auditor"),
    try: ask(bob.id),
    expected: "403 platform_user_refused",
  },
  {
    attack: "platform staff asks for the same",
    actor: "pat",
    arrange: give(platform, bob.id, "platform_auditor"),
    try: ask(bob.id),
    expected: "403 platform_user_refused",
  },
  {
    attack: "alice asks for a link to one of her people who administers E too",
    actor: "alice",
    arrange: give(tenants.E, bob.id, "tenant_admin"),
    try: ask(bob.id),
    expected: notAllowed,
  },
  {
    attack: "dora, who administers both, gets it",
    actor: "dora",
    arrange: give(tenants.E, bob.id, "tenant_admin"),
    try: ask(bob.id),
    expected: JSON.stringify([bob.subject]),
  },
  {
    attack: "platform staff gets it",
    actor: "pat",
    arrange: give(tenants.E, bob.id, "tenant_admin"),
    try: ask(bob.id),
    expected: JSON.stringify([bob.subject]),
  },
  {
    attack: "bob, who may only help people, asks for a link to the administrator",
    actor: "bob",
    arrange: bobHelps,
    try: ask(alice.id),
    expected: notAllowed,
  },
  {
    attack: "bob gets one to who may nothing",
    actor: "bob",
    arrange: bobHelps,
    try: ask(visitor.id),
    expected: JSON.stringify([visitor.subject]),
  },
  {
    attack: "platform staff asks for a link to an erased person",
    actor: "pat",
    arrange: (tx) => tx`update public.users set erased_at = now() where id = ${visitor.id}`,
    try: ask(visitor.id),
    expected: "404 user_not_found",
  },
  {
    attack: "platform staff asks for a link to who was removed",
    actor: "pat",
    arrange: (tx) => tx`update public.users set state = 'removed' where id = ${visitor.id}`,
    try: ask(visitor.id),
    expected: "404 user_not_found",
  },
]);
