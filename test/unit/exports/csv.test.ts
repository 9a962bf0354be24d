// An export for reading: every event a line that a spreadsheet opens and does not run.
import assert from "node:assert/strict";
import { csvHeader, csvLine } from "../../../functions/_shared/exports/csv.ts";

/** RFC 4180, as a reader would have it. */
function parse(text: string): string[] {
  const cells = [...text.matchAll(/"((?:[^"]|"")*)"(,|\r\n$)/g)];
  assert.equal(cells.map(([whole]) => whole).join(""), text);
  return cells.map(([, cell]) => cell!.replaceAll('""', '"'));
}
const names = parse(csvHeader);
const read = (event: Record<string, unknown>) =>
  Object.fromEntries(parse(csvLine(7, event)).map((cell, index) => [names[index], cell]));

Deno.test("an event is one line with its parts in columns, the rest as JSON", () => {
  const row = read({
    id: "e1",
    type: "app.updated",
    version: 1,
    actor: { kind: "user", id: "u1" },
    targets: [{ kind: "app", id: "a1" }, { kind: "app", id: "a2" }],
    context: { address: null, user_agent: 'Mozilla "5.0", x\r\ny' },
    data: { after: { name: "Ünï" } },
  });
  assert.deepEqual(
    [row.seq, row.id, row["actor.kind"], row["targets.id"], row["context.address"]],
    ["7", "e1", "user", "a1", ""],
  );
  assert.equal(row["context.user_agent"], 'Mozilla "5.0", x\r\ny');
  assert.deepEqual(JSON.parse(row.data!), { after: { name: "Ünï" } });
  assert.equal(row["context.client_id"], "");
});

Deno.test("what a spreadsheet would run stands behind an apostrophe", () => {
  for (
    const hostile of [
      '=cmd|"/c calc"!A1',
      "+1+1",
      "-2+3",
      "@SUM(A1)",
      "\t=1",
      "\r=1",
      "\n=1",
      " =1",
      "|x",
      "%x",
    ]
  ) {
    const row = read({ context: { user_agent: hostile }, data: {}, targets: [] });
    assert.equal(row["context.user_agent"], `'${hostile}`, JSON.stringify(hostile));
  }
});
