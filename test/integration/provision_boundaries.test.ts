import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { derivedId } from "../../functions/provision/ids.ts";
import type { Outcome } from "../../functions/provision/saga.ts";
import { House, Killed } from "./provision_support.ts";

/** Runs of the same work, one cut off at each point between two effects. */
type Run = (onBoundary?: (name: string) => void) => Promise<Outcome>;

/** Every boundary of a first run, in order. */
async function boundariesOf(run: Run): Promise<string[]> {
  const seen: string[] = [];
  await run((name) => {
    seen.push(name);
  });
  return seen;
}

/** First run dies at the boundary, the second finishes, the third finds nothing to write. */
async function survives(house: House, run: Run, at: number): Promise<void> {
  let passed = 0;
  const die = () => {
    if (passed++ === at) throw new Killed();
  };
  await assert.rejects(run(die), Killed);
  const second = await run();
  assert.deepEqual([second.kind, second.kind === "done" && second.status], ["done", "active"]);
  const before = await house.events();
  const writes: string[] = [];
  const third = await run((name) => {
    if (/^before:(zitadel:|start_step|settle_step)/.test(name)) writes.push(name);
  });
  assert.deepEqual(third, { kind: "done", status: "active", changed: false });
  assert.deepEqual(writes, []);
  assert.equal(await house.events(), before);
}

const tenantLike = (slug: string) => ({
  slug,
  admin: { email: "alice@acme.example" },
  apps: [{ name: "Shop" }, { name: "Desk", kind: "native" }],
});

Deno.test("a tenant's saga cut off at any boundary is finished by the next run", async (t) => {
  await using house = await House.open();
  const first = await house.createTenant(tenantLike("first"));
  const names = await boundariesOf((onBoundary) =>
    house.reconcile(first, onBoundary ? { onBoundary } : {})
  );
  assert.ok(
    names.filter((name) => name.startsWith("before:zitadel:")).length >= 9,
    names.join(" "),
  );

  for (const [at, name] of names.entries()) {
    await t.step(`${at} ${name}`, async () => {
      const id = await house.createTenant(tenantLike(`cut-${at}`));
      await survives(
        house,
        (onBoundary) => house.reconcile(id, onBoundary ? { onBoundary } : {}),
        at,
      );
      assert.equal(await house.countEvents("org.added", id), 1);
      assert.equal(await house.countEvents("project.added", derivedId("project", id)), 1);
      await oneOfEach(house.database.sql, id);
    });
  }
});

async function oneOfEach(sql: Sql, id: string): Promise<void> {
  const [row] = await sql`select
    (select count(*)::integer from public.assignments where tenant_id = ${id}) as assignments,
    (select count(*)::integer from private.clients where tenant_id = ${id}) as clients,
    (select count(*)::integer from public.audit_events
      where tenant_id = ${id} and type = 'tenant.activated') as activated`;
  assert.deepEqual({ ...row }, { assignments: 1, clients: 2, activated: 1 });
}
