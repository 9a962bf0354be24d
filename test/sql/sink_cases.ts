// Sinks of the cast, and the worker's side of them in a transaction that is taken back.
import type { TransactionSql } from "postgres";
import { platform, tenants } from "../support/actors.ts";
import { asRole } from "./webhook_cases.ts";

export const ids = {
  A: "01990000-0000-7000-8000-0000000000c1",
  E: "01990000-0000-7000-8000-0000000000c5",
  P: "01990000-0000-7000-8000-0000000000c9",
};
export const all = { ...tenants, P: platform };
export type Label = keyof typeof ids;

/** A sink that begins at the end of the log. */
export async function sink(tx: TransactionSql, label: Label, kind = "http"): Promise<void> {
  await sequence(tx);
  const settings = kind === "http" ? { url: "https://r.example/" } : { maxBytes: 1024, keep: 0 };
  await tx`
    insert into public.audit_sinks (tenant_id, id, name, kind, settings, cursor_seq)
    values (${all[label]}, ${ids[label]}, 'sink', ${kind}, ${tx.json(settings)},
      private.seq_before(${all[label]}, null))`;
  await sequence(tx);
  await tx`
    update public.audit_sinks set cursor_seq = private.seq_before(tenant_id, null)
     where id = ${ids[label]}`; // its own creation is not what is tested
}

/** The sequencer passes over a transaction that still runs, this one too: here its events get their places by hand. */
export async function sequence(tx: TransactionSql): Promise<void> {
  await tx`select private.sequence_events(1)`;
  await tx`
    with fresh as (
      insert into private.audit_sequence (seq, tenant_id, recorded_at, event_id)
      select (select last_seq from private.audit_sequencer)
               + row_number() over (order by e.recorded_at, e.id), e.tenant_id, e.recorded_at, e.id
        from public.audit_events e
       where not exists (select from private.audit_sequence s
         where s.tenant_id = e.tenant_id and s.recorded_at = e.recorded_at and s.event_id = e.id)
      returning 1)
    update private.audit_sequencer set last_seq = last_seq + (select count(*) from fresh)`;
}

export interface Claim {
  sink: { kind: string; settings: Record<string, unknown> };
  secret: { keyId: string; ciphertext: string } | null;
  fromSeq: number;
  toSeq: number;
  events: { seq: number; id: string; tenantId: string; type: string; text: string }[];
  checkpoints: { tenantId: string; size: number; note: string; createdAt: string }[];
  drops: { recordedUntil: string; fromSeq: number; toSeq: number }[];
}

export async function claim(
  tx: TransactionSql,
  label: Label,
  limit = 100,
  bytes = 1_048_576,
): Promise<Claim | null> {
  const [row] = await asRole(
    tx,
    () =>
      tx`select private.claim_sink_events(${all[label]}, ${ids[label]}, ${limit}, ${bytes}) as c`,
  );
  return row!.c;
}

export async function settle(
  tx: TransactionSql,
  label: Label,
  from: number,
  to: number,
  notes: object[] = [],
) {
  const [row] = await asRole(tx, () =>
    tx`
    select private.settle_sink_events(${all[label]}, ${ids[label]}, ${from}, ${to}, ${
      tx.json(notes as never)
    }) as done`);
  return row!.done as boolean;
}

export const state = async (tx: TransactionSql, label: Label) =>
  (await tx`
    select state, failures, last_error, cursor_seq::int, cursor_at, delivered_at,
           extract(epoch from next_attempt_at - clock_timestamp())::float as due_in_seconds
      from public.audit_sinks where id = ${ids[label]}`)[0]!;
export const findDue = async (tx: TransactionSql) =>
  (await asRole(tx, () => tx`select private.find_due_sinks(100) as n`))[0]!.n as number;
