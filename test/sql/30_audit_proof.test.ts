// PROOF: what the database exports after retention, and the commands that prove and verify with it: of a record that is left, of growth, of nothing that was slipped in.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Sql } from "postgres";
import {
  type ExportNote,
  headerLine,
  noteLine,
  recordLine,
} from "../../functions/_shared/audit/export_format.ts";
import { soleKey } from "../../functions/_shared/audit/keys.ts";
import { auditOrigin } from "../../functions/_shared/audit/note.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import { auditFiles } from "../support/audit_commands.ts";
import { publicUrl } from "../support/audit_export.ts";
import { createDatabase } from "../support/database.ts";
import { dropSigned } from "./retention_log.ts";

const x = "01990000-0000-7000-8000-0000000000f1";
const origin = auditOrigin(publicUrl, x);
const { privateKey, publicKey } = generateKeyPairSync("ed25519");

/** Events of a month in 2020; every second one has a personal value beside it. */
async function record(sql: Sql, month: number, count: number): Promise<void> {
  const [from, to] = [month, month + 1].map((one) => `2020-0${one}-01`);
  await sql.unsafe(
    `create table private.audit_events_2020_0${month} partition of public.audit_events
       for values from ('${from}') to ('${to}');
     alter table private.audit_events_2020_0${month} owner to gatehouse_migrator`,
  );
  await sql`
    insert into public.audit_events
      (tenant_id, recorded_at, id, type, occurred_at, actor, targets, data, context, personal)
    select ${x}, at, id, 'app.activated', at, '{"kind": "system", "id": "worker"}', '[]', '{"client_id": null}',
           '{"address": null}', case when n % 2 = 0 then jsonb_build_object('actor', private.keep_personal(
             ${x}, at, id, 'actor', null, '{"context.address": "10.1.2.3"}')) end
      from (select n, ${from!}::timestamptz + n * interval '1 second' as at, private.uuid_v7() as id
              from generate_series(1, ${count}) n) e`;
}

async function seal(worker: Sql): Promise<void> {
  const signer = sealer({ sql: worker, keys: soleKey(privateKey), publicUrl });
  while (Number((await worker`select private.sequence_events(100) as n`)[0]!.n) > 0);
  while (Number((await worker`select private.seal_events(7) as n`)[0]!.n) > 0) {
    while (await signer.sign(7) > 0);
  }
}

/** January is dropped, what stands for it signed. */
async function dropMonth(sql: Sql, worker: Sql): Promise<void> {
  await sql`update public.settings set value = '365' where key = 'audit.retention_days'`;
  const done = await dropSigned(sql, worker, { key: privateKey, publicUrl });
  assert.deepEqual([done?.month, done?.outcome], ["2020_01", "dropped"]);
}

/** As functions/_worker/tasks/audit__export.ts writes it. */
async function exported(sql: Sql, worker: Sql): Promise<string> {
  const [asked] = await sql`
    insert into public.audit_exports (tenant_id, format, requested_by) values (${x}, 'jsonl', '{}') returning id`;
  const [{ plan }] = await worker<
    [{ plan: { first: number; size: number; prefix: string[]; notes: ExportNote[] } }]
  >`select private.begin_export(${x}, ${asked!.id}) as plan`;
  const { first, size, prefix, notes } = plan;
  const rows = await worker`
    select * from private.list_export_leaves(${x}, ${first}, ${size})`;
  const exported_at = new Date().toISOString();
  return headerLine({ origin, tenant_id: x, first, prefix, size, exported_at }) +
    rows.map(({ index, bytes, signature, personal }) =>
      recordLine({ index: Number(index), bytes, signature, personal: personal ?? undefined })
    ).join("") + notes.map(noteLine).join("");
}

Deno.test("PROOF-05 after retention a record that is left is proved, and growth; what was sealed without a value has none", async () => {
  await using database = await createDatabase();
  const { sql } = database;
  const worker = database.connect("gatehouse_worker");
  await record(sql, 1, 21);
  await record(sql, 2, 10);
  await sql`insert into public.tenants (id, slug, name) values (${x}, 'x1', 'X')`;
  await seal(worker);
  const notes = await sql<{ note: string; size: number }[]>`
    select note, size::int from private.audit_checkpoints where tenant_id = ${x} order by size`;
  const gone = notes.filter(({ size }) => size < 21);
  const left = notes.filter(({ size }) => size > 21);
  assert.ok(gone.length > 0 && left.length > 1);
  await dropMonth(sql, worker);
  await seal(worker);
  const text = await exported(sql, worker);
  await using files = await auditFiles([publicKey], {
    "export.jsonl": text,
    "known": notes.map(({ note }) => note).join("\n"),
    "gone": gone.map(({ note }) => note).join("\n"),
  });
  const known = ["--checkpoint", "known", "--tenant", x];

  const whole = await files.verify("export.jsonl", ...known);
  assert.equal(whole.code, 0, whole.out + whole.err);
  assert.match(whole.out, /^records {5}\d+, from 21$/m);
  const old = await files.verify("export.jsonl", "--checkpoint", "gone");
  assert.equal(old.code, 1);
  assert.match(old.out, /^checkpoint_not_covered /m);
  const told = await files.verify("export.jsonl", "--checkpoint", "gone", "--removed-before", "21");
  assert.equal(told.code, 0, told.out);

  for (const args of [["--index", "21"], ["--index", "30"], ["--since", String(left[0]!.size)]]) {
    const made = await files.prove("export.jsonl", ...args);
    assert.equal(made.code, 0, made.err);
    await files.write("proof", made.out);
    const checked = await files.check("proof", ...known);
    assert.equal(checked.code, 0, checked.err);
  }
  assert.equal((await files.prove("export.jsonl", "--index", "20")).code, 1, "it is gone");

  const lines = text.split("\n");
  const bare = lines.findIndex((line) => line.includes('"index"') && !line.includes('"salt"'));
  const forged = { actor: { salt: "zz", value: '{"context.address":"6.6.6.6"}' } };
  const slipped = lines.with(
    bare,
    JSON.stringify({ ...JSON.parse(lines[bare]!), personal: forged }),
  );
  await files.write("slipped.jsonl", slipped.join("\n"));
  const found = await files.verify("slipped.jsonl", ...known);
  assert.equal(found.code, 1, found.out);
  assert.match(found.out, new RegExp(`^personal_altered {2}${20 + bare} {2}slot actor$`, "m"));
});
