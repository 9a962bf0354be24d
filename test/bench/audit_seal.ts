// Sealing against writing, sealing a backlog of a million, and the offline verify of what was sealed. 16 writers, fsync on.
import { join } from "node:path";
import { generateKeyPairSync } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { verifyFile } from "../../scripts/audit/verify_file.ts";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { soleKey } from "../../functions/_shared/audit/keys.ts";
import { headerLine, noteLine, recordLine } from "../../functions/_shared/audit/export_format.ts";
import { auditOrigin } from "../../functions/_shared/audit/note.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import { benchDatabase, type Figure } from "./support.ts";

const writers = 16;
const seconds = 6;
const backlog = Number(Deno.env.get("GATEHOUSE_BENCH_BACKLOG") ?? 1_000_000);
const publicUrl = "https://id.bench.test";

export async function auditSeal(): Promise<Figure[]> {
  await using database = await benchDatabase();
  const { sql } = database;
  const [tenant] = await sql<[{ id: string }]>`
    insert into public.tenants (slug, name) values ('bench', 'Bench') returning id`;
  const written = await writeRate(database.url(), tenant.id);
  await sequence(sql);
  await fill(sql, tenant.id);
  await sequence(sql);

  const worker = postgres(database.url("gatehouse_worker"), { max: 2, onnotice: () => {} });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const outside = checkpointFile(join(database.dir, "checkpoints"));
  const signer = sealer({ sql: worker, keys: soleKey(privateKey), publicUrl, outside });
  try {
    let leaves = 0;
    let began = performance.now();
    for (let n = 1; n > 0; leaves += n) {
      const [row] = await worker<[{ n: number }]>`select private.seal_events(2000) as n`;
      n = row.n;
    }
    const sealing = (performance.now() - began) / 1000;
    began = performance.now();
    while (await signer.sign(2_000) > 0);
    const signing = (performance.now() - began) / 1000;
    const rate = leaves / (sealing + signing);

    const path = join(database.dir, "export.jsonl");
    const origin = auditOrigin(publicUrl, tenant.id);
    const records = await writeExport(sql, tenant.id, origin, path);
    const known = [(await outside.newest(publicKey)).get(origin)!];
    const verified: number[] = [];
    for (let round = 0; round < 3; round++) {
      began = performance.now();
      const { problems } = await verifyFile(path, { key: publicKey, known, threads: 2 });
      if (problems.length > 0) throw new Error(JSON.stringify(problems[0]));
      verified.push(records / ((performance.now() - began) / 1000));
    }
    verified.sort((a, b) => a - b);
    const perSecond = (n: number) => `${Math.round(n)}/s`;
    return [{
      name: "sealing and signing a backlog ÷ audited insert",
      value: rate / written,
      unit: "×",
      goal: { at: "least", value: 3 },
      note: `${perSecond(rate)} and ${perSecond(written)}, ${writers} writers, fsync on`,
    }, {
      name: `events sealed, signed and pushed outside, backlog of ${leaves}`,
      value: rate,
      unit: "/s",
      note: `leaves ${perSecond(leaves / sealing)}, signatures ${perSecond(leaves / signing)}`,
    }, {
      name: "offline verify, two threads",
      value: verified[1]!,
      unit: "/s",
      goal: { at: "least", value: 100_000 },
      note: `${records} records, checkpoint ${known[0]!.size}`,
    }];
  } finally {
    await worker.end();
  }
}

/** Rows a second of a governed table, each its own transaction and its own event. */
async function writeRate(url: string, tenant: string): Promise<number> {
  const pool = postgres(url, { max: writers, onnotice: () => {} });
  await Promise.all(Array.from({ length: writers }, () => pool`select 1`));
  const until = performance.now() + seconds * 1000;
  let rows = 0;
  await Promise.all(Array.from({ length: writers }, async () => {
    while (performance.now() < until) {
      await pool`insert into public.providers (tenant_id, name, kind)
        values (${tenant}, ${crypto.randomUUID()}, 'oidc')`;
      rows++;
    }
  }));
  await pool.end();
  return rows / seconds;
}

/** Events as provider.created writes them; put in by the thousand, for what is measured comes after. */
async function fill(sql: Sql, tenant: string): Promise<void> {
  const atOnce = 20_000;
  for (let done = 0; done < backlog; done += atOnce) {
    await sql`
      insert into public.audit_events (tenant_id, id, type, occurred_at, actor, targets, data, context)
      select e.tenant_id, private.uuid_v7(), e.type, e.occurred_at, e.actor, e.targets, e.data, e.context
        from (select * from public.audit_events
               where tenant_id = ${tenant} and type = 'provider.created' limit 1) e,
             generate_series(1, ${Math.min(atOnce, backlog - done)})`;
  }
}

async function sequence(sql: Sql): Promise<void> {
  for (let n = 1; n > 0;) {
    n = (await sql<[{ n: number }]>`select private.sequence_events(5000) as n`)[0].n;
  }
}

async function writeExport(sql: Sql, tenant: string, origin: string, path: string) {
  const [{ size }] = await sql<[{ size: number }]>`
    select size::int from private.audit_trees where tenant_id = ${tenant}`;
  using file = await Deno.open(path, { write: true, create: true });
  const write = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  write(headerLine({
    ...{ origin, tenant_id: tenant, first: 0, prefix: [], size },
    exported_at: new Date().toISOString(),
  }));
  const rows = sql<{ index: number; bytes: string; signature: string }[]>`
    select leaf_index::int as index, bytes, translate(encode(signature, 'base64'), e'\\n', '') as signature
      from private.audit_leaves join private.audit_signatures using (tenant_id, leaf_index)
     where tenant_id = ${tenant} order by leaf_index`.cursor(5_000);
  for await (const some of rows) write(some.map(recordLine).join(""));
  const [{ note }] = await sql<[{ note: string }]>`
    select note from private.audit_checkpoints where tenant_id = ${tenant} order by size desc limit 1`;
  if (note.split("\n")[1] !== String(size)) throw new Error("the newest checkpoint is not of all");
  write(noteLine({ checkpoint: note }));
  return size;
}
