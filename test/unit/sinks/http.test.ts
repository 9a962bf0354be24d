// The id of a batch: a receiver that drops what it knows loses nothing.
import assert from "node:assert/strict";
import fc from "fast-check";
import { batchId } from "../../../functions/_shared/sinks/http.ts";
import type { Batch, Checkpoint, SinkEvent } from "../../../functions/_shared/sinks/sink.ts";

const sinkId = "01990000-0000-7000-8000-0000000000b1";
const tenants = ["a", "b", "c"].map((one) => `01990000-0000-7000-8000-00000000000${one}`);
const at = "2026-11-22T10:00:00Z";

const checkpoint = (tenantId: string, size: number, note = `${size}\nroot\n`): Checkpoint => ({
  tenantId,
  size,
  note,
  createdAt: at,
});
const event = (seq: number, tenantId: string): SinkEvent => ({
  seq,
  id: `01990000-0000-7000-8000-${String(seq).padStart(12, "0")}`,
  tenantId,
  type: "app.updated",
  occurredAt: at,
  actor: { kind: "system" },
  targets: [],
  text: JSON.stringify({ seq }),
});
const batch = (events: SinkEvent[], checkpoints: Checkpoint[]): Batch => ({
  sinkId,
  tenantId: tenants[0]!,
  events,
  checkpoints,
});

const tenant = fc.constantFrom(...tenants);
// Small numbers: sums and ranges meet by chance.
const checkpoints = fc.uniqueArray(fc.tuple(tenant, fc.integer({ min: 1, max: 9 })), {
  maxLength: 4,
  selector: ([id]) => id,
}).map((all) => all.map(([id, size]) => checkpoint(id, size)));
const events = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 4 })
  .map((seqs) => seqs.sort((a, b) => a - b).map((seq) => event(seq, tenants[0]!)));
const batches = fc.tuple(events, checkpoints).map(([some, notes]) => batch(some, notes));
const content = ({ events, checkpoints }: Batch) =>
  JSON.stringify([
    events.map(({ id }) => id),
    checkpoints.map(({ tenantId, size }) => `${tenantId} ${size}`).sort(),
  ]);

Deno.test("two batches have the same id where they hold the same, and only there", () => {
  fc.assert(
    fc.property(batches, batches, (one, other) => {
      assert.equal(batchId(one) === batchId(other), content(one) === content(other));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a batch keeps its id when it is sent again, however its checkpoints are ordered", () => {
  fc.assert(fc.property(batches, (one) => {
    const again = structuredClone(one);
    again.checkpoints.reverse();
    assert.equal(batchId(again), batchId(one));
    assert.match(batchId(one), /^[0-9a-f-]+$/); // no full stop: it would end the id in what is signed
  }));
});

Deno.test("checkpoints of two tenants at one size, and two notes of one size, are four batches", () => {
  const [a, b] = tenants as [string, string, string];
  const ids = [
    checkpoint(a, 8),
    checkpoint(b, 8),
    checkpoint(a, 8, "8\nforked\n"),
    checkpoint(b, 8, "8\nforked\n"),
  ].map((one) => batchId(batch([], [one])));
  assert.equal(new Set(ids).size, 4);
});
