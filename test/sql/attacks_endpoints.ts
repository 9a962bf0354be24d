// END: endpoints moved, removed, resumed and tested by who may only read, and by who may, beside another's of the same id and her other one.
import type { TransactionSql } from "postgres";
import { tenants } from "../support/actors.ts";
import { type Attack, attacks, changes, peek, values } from "./attacks_cases.ts";

const notAllowed = "403 not_allowed";
const notFound = "404 endpoint_not_found";
const nobody = "01990000-0000-7000-8000-00000000ffff";
/** Of an endpoint of E, and of one of A: ids are a tenant's, so this may happen. */
const twin = "01990000-0000-7000-8000-0000000008a1";
const other = "01990000-0000-7000-8000-0000000008a2";

const move = (id: string) =>
  `select private.move_webhook_endpoint('${tenants.A}', '${id}', 'https://moved.example/')`;
const remove = (id: string) => `select private.remove_webhook_endpoint('${tenants.A}', '${id}')`;
const resume = (id: string) => `select public.resume_endpoint('${tenants.A}', '${id}')`;
const begin = (id: string) =>
  `select private.begin_webhook_test('${tenants.A}', '${id}', 'webhook_endpoint.test')`;
const note = (id: string) =>
  `select private.record_webhook_test('${tenants.A}', '${id}', 204, null)`;

/** Each rests, has a secret, a header and a delivery that waits, and is to catch up. E's comes first, so that a look without the tenant finds it before A's. */
async function twins(tx: TransactionSql): Promise<void> {
  for (const [tenant, id] of [[tenants.E, twin], [tenants.A, other], [tenants.A, twin]]) {
    await tx`insert into public.webhook_endpoints (tenant_id, id, url, header_names, paused_until)
      values (${tenant!}, ${id!}, 'https://old.example/', '{x-one}', now() + interval '1 hour')`;
    await tx`update public.webhook_endpoint_states set circuit = 'open', opened = 3
      where tenant_id = ${tenant!} and endpoint_id = ${id!}`;
    await tx`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext)
      values (${tenant!}, ${id!}, 'k1', '\\x01')`;
    await tx`insert into private.webhook_headers (tenant_id, endpoint_id, key_id, ciphertext)
      values (${tenant!}, ${id!}, 'k1', '\\x01')`;
    await tx`delete from public.webhook_deliveries
      where tenant_id = ${tenant!} and endpoint_id = ${id!}`;
    await tx`insert into public.webhook_deliveries (tenant_id, endpoint_id, event_id,
        event_recorded_at, event_type, next_attempt_at)
      values (${tenant!}, ${id!}, ${nobody}, now(), 'app.updated', now() + interval '1 hour')`;
  }
}

/** What a statement left of each: whose, where it is, whether it is removed, rests and has its circuit open, what it has, waits for, and was tested. */
const left = (statement: string) => async (tx: TransactionSql) => {
  await changes(statement)(tx);
  return await peek(
    tx,
    `select concat_ws(' ', case e.tenant_id when '${tenants.A}' then 'A' else 'E' end,
         case e.id when '${twin}' then 'twin' else 'other' end, split_part(e.url, '/', 3),
         case when e.removed_at is not null then 'removed' end,
         case when e.paused_until > now() then 'rests' end, s.circuit,
         (select string_agg('secret', ' ') from private.webhook_secrets k
           where k.tenant_id = e.tenant_id and k.endpoint_id = e.id),
         (select string_agg('header', ' ') from private.webhook_headers h
           where h.tenant_id = e.tenant_id and h.endpoint_id = e.id),
         (select string_agg('catches-up', ' ') from private.webhook_catch_ups c
           where c.tenant_id = e.tenant_id and c.endpoint_id = e.id),
         (select string_agg(d.state || case when d.next_attempt_at > now() then ' later' else '' end, ' ')
            from public.webhook_deliveries d
           where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
             and d.event_type = 'app.updated'),
         (select 'tested ' || cardinality(t.begun_ats) from private.webhook_tests t
           where t.tenant_id = e.tenant_id and t.endpoint_id = e.id))
       from public.webhook_endpoints e
       join public.webhook_endpoint_states s on s.tenant_id = e.tenant_id and s.endpoint_id = e.id
      where e.id in ('${twin}', '${other}') order by 1`,
  );
};
const untouched = "old.example rests open secret header catches-up pending later";

/** Hers was removed a while ago. */
async function gone(tx: TransactionSql): Promise<void> {
  await twins(tx);
  await tx`update public.webhook_endpoints
    set enabled = false, removed_at = now() - interval '1 hour'
    where tenant_id = ${tenants.A} and id = ${twin}`;
}

/** None of them rests. */
async function calm(tx: TransactionSql): Promise<void> {
  await twins(tx);
  await tx`update public.webhook_endpoints set paused_until = null where id in (${twin}, ${other})`;
  await tx`update public.webhook_endpoint_states set circuit = 'closed', opened = 0
    where endpoint_id in (${twin}, ${other})`;
  await tx`update public.webhook_deliveries set next_attempt_at = now()
    where endpoint_id in (${twin}, ${other})`;
}
const calmly = "old.example closed secret header catches-up pending";

const asked = [
  ["moves", move],
  ["removes", remove],
  ["resumes", resume],
  ["tests", begin],
  ["notes a test of", note],
] as const;

export const endpointAttacks: Attack[] = attacks("END", [
  ...asked.flatMap(([does, call]): Omit<Attack, "id">[] => [
    {
      attack: `audrey, who may only read endpoints, ${does} one`,
      actor: "audrey",
      arrange: twins,
      try: changes(call(twin)),
      expected: notAllowed,
    },
    {
      attack: `eve ${does} the endpoint of A that has her endpoint's id`,
      actor: "eve",
      arrange: twins,
      try: changes(call(twin)),
      expected: notAllowed,
    },
    {
      attack: `alice ${does} one that is not there`,
      actor: "alice",
      try: changes(call(nobody)),
      expected: notFound,
    },
  ]),
  ...asked.flatMap(([does, call]): Omit<Attack, "id">[] => [
    {
      attack: `alice ${does} one of E's as one of her tenant`,
      actor: "alice",
      arrange: async (tx) => {
        await twins(tx);
        await tx`delete from public.webhook_endpoints where tenant_id = ${tenants.A} and id = ${twin}`;
      },
      try: changes(call(twin)),
      expected: notFound,
    },
  ]),
  {
    attack: "alice moves her endpoint: E's, which has the same id, and her other one stay",
    actor: "alice",
    arrange: twins,
    try: left(move(twin)),
    expected: JSON.stringify([
      `A other ${untouched}`,
      "A twin moved.example rests open secret catches-up pending later",
      `E twin ${untouched}`,
    ]),
  },
  {
    attack: "alice removes her endpoint: E's, which has the same id, and her other one stay",
    actor: "alice",
    arrange: twins,
    try: left(remove(twin)),
    expected: JSON.stringify([
      `A other ${untouched}`,
      "A twin old.example removed rests open cancelled later",
      `E twin ${untouched}`,
    ]),
  },
  {
    attack: "alice resumes her endpoint: E's, which has the same id, and her other one rest on",
    actor: "alice",
    arrange: twins,
    try: left(resume(twin)),
    expected: JSON.stringify([
      `A other ${untouched}`,
      "A twin old.example half_open secret header catches-up pending",
      `E twin ${untouched}`,
    ]),
  },
  {
    attack: "alice tests her endpoint: that counts for hers alone",
    actor: "alice",
    arrange: twins,
    try: left(begin(twin)),
    expected: JSON.stringify([
      `A other ${untouched}`,
      `A twin ${untouched} tested 1`,
      `E twin ${untouched}`,
    ]),
  },
  {
    attack: "alice tests her endpoint after ten tests of E's and of her other one: it is taken",
    actor: "alice",
    arrange: async (tx) => {
      await twins(tx);
      await tx`insert into private.webhook_tests (tenant_id, endpoint_id, begun_ats)
        select tenant_id, id, array_fill(clock_timestamp(), '{10}') from public.webhook_endpoints
         where id in (${twin}, ${other}) and (tenant_id, id) <> (${tenants.A}, ${twin})`;
    },
    try: values(`${begin(twin)} ? 'waitSeconds'`),
    expected: "[false]",
  },
  ...[move, resume, begin].map((call): Omit<Attack, "id"> => ({
    attack: `alice asks of one that she removed: ${call("…").split("(")[0]!.slice(7)}`,
    actor: "alice",
    arrange: gone,
    try: changes(call(twin)),
    expected: notFound,
  })),
  ...(["alice", "pat"] as const).map((actor): Omit<Attack, "id"> => ({
    attack: `${actor} changes every endpoint that there is: not the one that was removed`,
    actor,
    arrange: gone,
    // Without a condition no row is read, so the policies of reading are not asked.
    try: async (tx) => {
      await changes("update public.webhook_endpoints set description = 'reached'")(tx);
      return await peek(
        tx,
        `select tenant_id = '${tenants.A}' and id = '${twin}' from public.webhook_endpoints
          where description = 'reached' group by 1`,
      );
    },
    expected: "[false]",
  })),
  {
    attack: "alice resumes one that has been: nothing more is on record",
    actor: "alice",
    arrange: twins,
    try: async (tx) => {
      await changes(resume(twin))(tx);
      await changes(resume(twin))(tx);
      return await peek(
        tx,
        "select count(*)::int from public.audit_events where type = 'webhook_endpoint.resumed'",
      );
    },
    expected: "[1]",
  },
  {
    attack: "alice resumes one that is disabled",
    actor: "alice",
    arrange: async (tx) => {
      await twins(tx);
      await tx`update public.webhook_endpoints set enabled = false where id = ${twin}`;
    },
    try: changes(resume(twin)),
    expected: "409 endpoint_disabled",
  },
  {
    attack: "alice resumes one that only rests: it does no more",
    actor: "alice",
    arrange: async (tx) => {
      await calm(tx);
      await tx`update public.webhook_endpoints set paused_until = now() + interval '1 hour'
        where tenant_id = ${tenants.A} and id = ${twin}`;
    },
    try: left(resume(twin)),
    expected: JSON.stringify([`A other ${calmly}`, `A twin ${calmly}`, `E twin ${calmly}`]),
  },
  {
    attack:
      "alice resumes one whose circuit alone is open, and E's, which has the same id, is closed",
    actor: "alice",
    arrange: async (tx) => {
      await calm(tx);
      await tx`update public.webhook_endpoint_states set circuit = 'open', opened = 3
        where tenant_id = ${tenants.A} and endpoint_id = ${twin}`;
    },
    try: left(resume(twin)),
    expected: JSON.stringify([
      `A other ${calmly}`,
      `A twin ${calmly.replace("closed", "half_open")}`,
      `E twin ${calmly}`,
    ]),
  },
  {
    attack: "alice resumes one that rests no more, but whose delivery waits for later",
    actor: "alice",
    arrange: async (tx) => {
      await calm(tx);
      await tx`update public.webhook_deliveries set next_attempt_at = now() + interval '1 hour'
        where tenant_id = ${tenants.A} and endpoint_id = ${twin}`;
    },
    try: values(resume(twin)),
    expected: "[1]",
  },
  ...[
    `select private.put_webhook_headers('${tenants.A}', '${twin}', '{x-two}', 'k2', '\\x02')`,
    `select private.rotate_webhook_secret('${tenants.A}', '${twin}', 'v1', null,
       '[{"scheme": "v1", "keyId": "k2", "ciphertext": "Ag=="}]', 60)`,
    `select private.open_webhook_endpoint('${tenants.A}', '${twin}')`,
    `select public.replay_missed('${tenants.A}', '${twin}', now() - interval '1 hour')`,
  ].map((call): Omit<Attack, "id"> => ({
    attack: `alice asks of one that she removed: ${call.split("(")[0]!.slice(7)}`,
    actor: "alice",
    arrange: gone,
    try: changes(call),
    expected: notFound,
  })),
  {
    attack: "alice moves her endpoint on its host: its headers go with it",
    actor: "alice",
    arrange: twins,
    try: left(move(twin).replace("moved", "old")),
    expected: JSON.stringify([
      `A other ${untouched}`,
      `A twin ${untouched}`,
      `E twin ${untouched}`,
    ]),
  },
  {
    attack:
      "alice moves her endpoint to where E's is, which has the same id: hers leaves its headers",
    actor: "alice",
    arrange: async (tx) => {
      await twins(tx);
      await tx`update public.webhook_endpoints set url = 'https://moved.example/'
        where tenant_id = ${tenants.E} and id = ${twin}`;
    },
    try: left(move(twin)),
    expected: JSON.stringify([
      `A other ${untouched}`,
      "A twin moved.example rests open secret catches-up pending later",
      `E twin ${untouched.replace("old", "moved")}`,
    ]),
  },
  {
    attack: "alice moves her endpoint and says that she puts new headers",
    actor: "alice",
    arrange: twins,
    try: left(move(twin).replace("')", "', true)")),
    expected: JSON.stringify([
      `A other ${untouched}`,
      `A twin ${untouched.replace("old", "moved")}`,
      `E twin ${untouched}`,
    ]),
  },
  {
    attack: "alice moves one without headers that she removed",
    actor: "alice",
    arrange: async (tx) => {
      await gone(tx);
      await tx`update public.webhook_endpoints set header_names = '{}' where id = ${twin}`;
    },
    try: changes(move(twin)),
    expected: notFound,
  },
  {
    attack:
      "alice removes one once more: it was removed when it was, and what had ended stays as it did",
    actor: "alice",
    arrange: async (tx) => {
      await gone(tx);
      await tx`update public.webhook_deliveries set state = 'dead', settled_at = now()
        where tenant_id = ${tenants.A} and endpoint_id = ${twin}`;
    },
    try: async (tx) => {
      await changes(remove(twin))(tx);
      return await peek(
        tx,
        `select e.removed_at < now() and d.state = 'dead'
           from public.webhook_endpoints e
           join public.webhook_deliveries d on d.tenant_id = e.tenant_id and d.endpoint_id = e.id
          where e.tenant_id = '${tenants.A}' and e.id = '${twin}' and d.event_type = 'app.updated'`,
      );
    },
    expected: "[true]",
  },
]);
