// PLAN: what the pages of the log stand on. Each takes as many rows from an index as the page has, so its time does not grow with the log;
// the times themselves: test/bench/pages.ts, on the same rows.
import assert from "node:assert/strict";
import postgres from "postgres";
import { enterAsReader, fillLog, pagesOf } from "../bench/pages.ts";
import { benchIssuer } from "../bench/support.ts";
import { createDatabase } from "../support/database.ts";

interface Node {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  Plans?: Node[];
}

const expected: Record<string, RegExp[]> = {
  // the tenant has half of the log: then either index of the order will do
  "events API": [/^audit_sequence_(tenant_idx|pkey)$/, /^audit_events_\d{4}_\d\d_pkey$/],
  "deliveries list": [/^webhook_deliveries_endpoint_idx$/],
  "audit search by type": [
    /^audit_events_(\d{4}_\d\d|default)_tenant_id_type_recorded_at_idx$/,
  ],
};

Deno.test("PLAN-01 each page reads by its index, no more rows than it shows", async (t) => {
  await using database = await createDatabase();
  const { sql } = database;
  await benchIssuer(sql);
  const tenant = await fillLog(sql, 30_000);
  await sql.unsafe("vacuum analyze");
  for (const [name, query] of Object.entries(pagesOf(tenant, "15000"))) {
    await t.step(name, async () => {
      const nodes = (await plansOf(database.url(), query))
        .filter(({ relation }) => /^(audit_|webhook_)/.test(relation));
      for (const { type, relation, index, rows } of nodes) {
        const scan = `${type} of ${relation} by ${index}`;
        assert.match(type, /^Index (Only )?Scan$/, scan);
        assert.ok(expected[name]!.some((one) => one.test(index)), scan);
        assert.ok(rows <= 101, `${scan} took ${rows} rows`);
      }
      for (const one of expected[name]!) {
        assert.ok(nodes.some(({ index, rows }) => one.test(index) && rows > 0), `${one} is used`);
      }
    });
  }
});

Deno.test("PLAN-02 a claim and its settlement read what they send, however long the log and the line are", async (t) => {
  await using database = await createDatabase();
  const { sql } = database;
  await benchIssuer(sql);
  const tenant = await fillLog(sql, 30_000);
  const [endpoint] = await sql<[{ id: string }]>`
    insert into public.webhook_endpoints (tenant_id, url) values (${tenant}, 'https://a.example/')
    returning id`;
  await sql.unsafe("vacuum analyze"); // statistics of a quiet hour: next to nothing is pending
  await sql`select count(private.record_event(${tenant}, 'app.updated', '[{"kind":"test"}]', '{}'))
    from generate_series(1, 5000)`;
  const [{ ids }] = await sql<[{ ids: string[] }]>`
    select array_agg(id) as ids from (
      select id from public.webhook_deliveries where endpoint_id = ${endpoint.id} limit 200) d`;
  const results = ids.map((id) => ({
    id,
    outcome: "delivered",
    startedAtMs: Date.now(),
    durationMs: 1,
    status: 204,
  }));
  const one = `'${tenant}', '${endpoint.id}'`;
  const calls = {
    claim: `select private.claim_deliveries(${one}, gen_random_uuid(), 200, 60)`,
    settle: `select private.settle_deliveries(${one}, '${JSON.stringify(results)}')`,
  };
  for (const [name, query] of Object.entries(calls)) {
    await t.step(name, async () => {
      const nodes = (await plansOf(database.url(), query, "gatehouse_worker"))
        .filter(({ type, relation }) =>
          type !== "ModifyTable" && /^(audit_events|webhook_(deliveries|attempts))/.test(relation)
        );
      assert.ok(nodes.some(({ rows }) => rows === 200), "it works on the batch");
      for (const { type, relation, index, rows } of nodes) {
        const scan = `${type} of ${relation} by ${index} took ${rows} rows`;
        assert.notEqual(type, "Seq Scan", scan);
        assert.ok(rows <= 200, scan);
      }
    });
  }
});

/** Every scan of the statement and of what functions run inside it, as auto_explain saw it. */
async function plansOf(url: string, query: string, role = "authenticated") {
  const nodes: { type: string; relation: string; index: string; rows: number }[] = [];
  const walk = (node: Node) => {
    if (node["Relation Name"] && node["Actual Loops"] > 0) {
      nodes.push({
        type: node["Node Type"],
        relation: node["Relation Name"],
        index: node["Index Name"] ?? "",
        rows: node["Actual Rows"] * node["Actual Loops"],
      });
    }
    node.Plans?.forEach(walk);
  };
  const seen = postgres(url, {
    max: 1,
    onnotice: ({ message }) => {
      const plan = /plan:\n([^]*)$/.exec(message ?? "")?.[1];
      if (plan) walk(JSON.parse(plan).Plan);
    },
  });
  try {
    await seen.begin(async (tx) => {
      await enterAsReader(tx);
      await tx.unsafe("reset role; load 'auto_explain'");
      await tx`select set_config('auto_explain.log_min_duration', '0', true),
        set_config('auto_explain.log_analyze', 'on', true),
        set_config('auto_explain.log_format', 'json', true),
        set_config('auto_explain.log_nested_statements', 'on', true)`;
      await tx`select set_config('client_min_messages', 'log', true), set_config('role', ${role}, true)`;
      await tx.unsafe(query);
    });
  } finally {
    await seen.end();
  }
  return nodes;
}
