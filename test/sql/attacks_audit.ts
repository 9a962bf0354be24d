// AUD: sinks and exports asked for by the wrong person, or by the right one where another's has the same id.
import type { TransactionSql } from "postgres";
import { tenants } from "../support/actors.ts";
import { downloads, sinks } from "./matrix/seed.ts";
import { type Attack, attacks, changes, peek, values } from "./attacks_cases.ts";

const nobody = "01990000-0000-7000-8000-00000000ffff";
const rewind = (tenant: string, id: string) =>
  `select public.rewind_audit_sink('${tenant}', '${id}', '2000-01-01T00:00:00Z')`;
const request = `select format from public.request_audit_export('${tenants.A}')`;
const create = (kind: string, settings: string, ciphertext: string) =>
  `select private.create_audit_sink('${tenants.A}', '${nobody}', 'new', '${kind}', '${settings}', null, 'k1', ${ciphertext})`;
const secrets = `select count(*)::int from private.audit_sink_secrets where sink_id = '${nobody}'`;
const syslog =
  '{"host": "x.example", "port": 6514, "transport": "tls", "facility": 13, "enterpriseId": 1, "confirm": true}';

/** A sink of A with the id of E's; all have taken everything, and a checkpoint. */
async function twins(tx: TransactionSql): Promise<void> {
  await tx`insert into public.audit_sinks (tenant_id, id, name, kind, settings) values
    (${tenants.A}, ${sinks.E}, 'twin', 'http', '{"url": "https://twin.example/"}')`;
  await tx`update public.audit_sinks set cursor_seq = 1000000, checkpoint_at = now()`;
  await tx`insert into private.audit_sink_checkpoints (tenant_id, sink_id, of_tenant_id, size)
    select tenant_id, id, tenant_id, 1 from public.audit_sinks`;
}
const skip = (id: string) =>
  `select public.skip_audit_sink_event('${tenants.A}', '${id}', 2000000)`;
/** All wait at an event that is too large for who receives it. */
async function waiting(tx: TransactionSql): Promise<void> {
  await twins(tx);
  await tx`update public.audit_sinks
    set last_error = '{"slug": "batch_too_large", "event": {"seq": 2000000, "id": "01990000-0000-7000-8000-000000000707", "tenant_id": "01990000-0000-7000-8000-000000000707", "type": "provider.updated", "size_bytes": 900000}}'`;
}
async function sealedTwins(tx: TransactionSql): Promise<void> {
  await twins(tx);
  await tx`insert into private.audit_sink_secrets (tenant_id, sink_id, key_id, ciphertext)
    values (${tenants.A}, ${sinks.E}, 'twin', '\\x01')`;
}
const open = (id: string) => `select private.open_sink_secret('${tenants.A}', '${id}')`;
const rewound = `select concat_ws(' ', case s.tenant_id when '${tenants.A}' then 'A' else 'E' end,
    s.name, s.cursor_seq < 1000000, count(c))
  from public.audit_sinks s left join private.audit_sink_checkpoints c
    on c.tenant_id = s.tenant_id and c.sink_id = s.id
 where s.tenant_id in ('${tenants.A}', '${tenants.E}') group by s.tenant_id, s.id order by 1`;

const exports = (tenant: string, state: string) => (tx: TransactionSql) =>
  tx`insert into public.audit_exports (tenant_id, format, state, requested_by)
    select ${tenant}, 'csv', ${state}, '{}' from generate_series(1, 3)`;

export const auditAttacks: Attack[] = attacks("AUD", [
  {
    attack: "alice rewinds E's sink as one of her tenant",
    actor: "alice",
    try: changes(rewind(tenants.A, sinks.E)),
    expected: "404 sink_not_found",
  },
  {
    attack: "alice rewinds E's sink as E's",
    actor: "alice",
    try: changes(rewind(tenants.E, sinks.E)),
    expected: "403 not_allowed",
  },
  {
    attack:
      "alice rewinds her sink: E's, which has the same id, and her other one stay where they are",
    actor: "alice",
    arrange: twins,
    try: async (tx) => {
      await changes(rewind(tenants.A, sinks.E))(tx);
      return await peek(tx, rewound);
    },
    expected: JSON.stringify(["A sink f 1", "A twin t 0", "E sink f 1"]),
  },
  {
    attack: "alice makes a sink: its secret is kept",
    actor: "alice",
    try: async (tx) => {
      await changes(create("http", '{"url": "https://x.example/"}', "'\\x01'"))(tx);
      return await peek(tx, secrets);
    },
    expected: "[1]",
  },
  {
    attack: "alice makes a sink that has no secret",
    actor: "alice",
    try: async (tx) => {
      await changes(create("syslog", syslog, "null"))(tx);
      return await peek(tx, secrets);
    },
    expected: "[0]",
  },
  {
    attack: "alice is told how far her sink is behind, and nothing of other tenants' events",
    actor: "alice",
    arrange: (tx) => tx`update public.audit_sinks set cursor_seq = 1`,
    try: values(`
      select (public.sink_lag(s) ->> 'events')::int
          = (select count(*) from public.list_events(s.tenant_id, s.cursor_seq, 1000))
        from public.audit_sinks s`),
    expected: "[true]",
  },
  {
    attack: "alice's sink that has everything is not behind",
    actor: "alice",
    arrange: (tx) => tx`update public.audit_sinks set cursor_seq = 1000000`,
    try: values("select public.sink_lag(s) from public.audit_sinks s"),
    expected: '[{"events":0,"seconds":0}]',
  },
  {
    attack: "pat is told how far the platform's sink is behind the whole log",
    actor: "pat",
    arrange: (tx) => tx`update public.audit_sinks set cursor_seq = 1`,
    try: async (tx) => {
      const lag = await values(
        `select (public.sink_lag(s) ->> 'events')::int from public.audit_sinks s where id = '${sinks.P}'`,
      )(tx);
      const all = await peek(tx, "select count(*)::int from private.audit_sequence where seq > 1");
      return JSON.stringify(lag) === JSON.stringify(all);
    },
    expected: "true",
  },
  ...["pending", "running"].map((state) => ({
    attack: `alice asks for a fourth export while three are ${state}`,
    actor: "alice" as const,
    arrange: exports(tenants.A, state),
    try: values(request),
    expected: "409 exports_too_many",
  })),
  {
    attack: "alice asks for an export when she has three already",
    actor: "alice",
    arrange: exports(tenants.A, "ready"),
    try: values(request),
    expected: '["jsonl"]',
  },
  {
    attack: "alice asks for an export while three of E's are under way",
    actor: "alice",
    arrange: exports(tenants.E, "pending"),
    try: values(request),
    expected: '["jsonl"]',
  },
  {
    attack: "alice opens E's export",
    actor: "alice",
    try: changes(`select private.open_audit_export('${downloads.E}')`),
    expected: "404 export_not_found",
  },
  {
    attack: "alice opens an export that has expired and was not cleared away yet",
    actor: "alice",
    arrange: (tx) => tx`update public.audit_exports set expires_at = now()`,
    try: changes(`select private.open_audit_export('${downloads.A}')`),
    expected: "409 export_not_ready",
  },
  {
    attack: "alice opens an export that is not written yet",
    actor: "alice",
    arrange: (tx) => tx`update public.audit_exports set state = 'running'`,
    try: changes(`select private.open_audit_export('${downloads.A}')`),
    expected: "409 export_not_ready",
  },
  {
    attack:
      "alice opens the secret of a sink of hers that has none; E's, which has the same id, has one",
    actor: "alice",
    arrange: twins,
    try: changes(open(sinks.E)),
    expected: "409 sink_has_no_secret",
  },
  {
    attack:
      "alice opens the secret of her sink: not E's, which has the same id, nor her other one's",
    actor: "alice",
    arrange: sealedTwins,
    try: values(`${open(sinks.E)} ->> 'keyId'`),
    expected: '["twin"]',
  },
  {
    attack:
      "alice rotates the secret of her sink: E's, which has the same id, and her other one's stay",
    actor: "alice",
    arrange: sealedTwins,
    try: async (tx) => {
      await changes(
        `select private.rotate_sink_secret('${tenants.A}', '${sinks.E}', 'new', '\\x02', 60)`,
      )(tx);
      return await peek(
        tx,
        `select concat_ws(' ', case tenant_id when '${tenants.A}' then 'A' else 'E' end, key_id)
           from private.audit_sink_secrets
          where sink_id in ('${sinks.A}', '${sinks.E}') order by 1`,
      );
    },
    expected: JSON.stringify(["A k1", "A new", "E k1"]),
  },
  {
    attack: "alice skips an event of a sink that is not there",
    actor: "alice",
    try: changes(skip(nobody)),
    expected: "404 sink_not_found",
  },
  {
    attack:
      "alice skips the event that her sink waits at: E's, which has the same id, and her other one wait on",
    actor: "alice",
    arrange: waiting,
    try: async (tx) => {
      await changes(skip(sinks.E))(tx);
      return await peek(
        tx,
        `select concat_ws(' ', case tenant_id when '${tenants.A}' then 'A' else 'E' end, name,
             cursor_seq, last_error is null)
           from public.audit_sinks where id in ('${sinks.A}', '${sinks.E}') order by 1`,
      );
    },
    expected: JSON.stringify(["A sink 1000000 f", "A twin 2000000 t", "E sink 1000000 f"]),
  },
  {
    attack:
      "alice skips an event that her sink is past, though E's, which has the same id, waits at it",
    actor: "alice",
    arrange: async (tx) => {
      await waiting(tx);
      await tx`update public.audit_sinks set cursor_seq = 2000000
        where tenant_id = ${tenants.A} and id = ${sinks.E}`;
    },
    try: changes(skip(sinks.E)),
    expected: "409 sink_event_not_refused",
  },
  {
    attack:
      "alice skips an event that E's sink waits at, and hers, which has the same id, does not",
    actor: "alice",
    arrange: async (tx) => {
      await waiting(tx);
      await tx`update public.audit_sinks set last_error = null
        where tenant_id = ${tenants.A} and id = ${sinks.E}`;
    },
    try: changes(skip(sinks.E)),
    expected: "409 sink_event_not_refused",
  },
  {
    attack: "alice opens the secret of a sink that is not there",
    actor: "alice",
    try: changes(open(nobody)),
    expected: "404 sink_not_found",
  },
  {
    attack: "alice skips another event than the one that her sink waits at",
    actor: "alice",
    arrange: waiting,
    try: changes(skip(sinks.E).replace("2000000", "2000001")),
    expected: "409 sink_event_not_refused",
  },
  {
    attack: "alice opens the secret of E's sink as one of her tenant",
    actor: "alice",
    try: changes(open(sinks.E)),
    expected: "404 sink_not_found",
  },
]);
