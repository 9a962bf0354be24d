import assert from "node:assert/strict";
import { join } from "node:path";
import { withFields } from "../../functions/_shared/telemetry.ts";
import type { TaskContext } from "../../functions/_worker/task.ts";
import { Lease } from "../../functions/provision/lease.ts";
import { platformTenantId } from "../../functions/provision/instance.ts";
import { environment, House } from "./provision_support.ts";

// The tasks read their configuration once a process, so one house for all of them.
Deno.test("the tasks of provisioning, as the worker runs them", async (t) => {
  await using house = await House.open({ prepared: false });
  const { sql } = house.database;
  await Deno.writeTextFile(
    join(house.dir, "bootstrap.json"),
    JSON.stringify({ administrator: house.facts.administrator }),
  );
  using _ = environment({
    LOG_LEVEL: "error",
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_PUBLIC_URL: "http://127.0.0.1:8000",
    GATEHOUSE_BOOTSTRAP_FILE: join(house.dir, "bootstrap.json"),
    ZITADEL_ISSUER: house.issuer,
    ZITADEL_PROVISIONER_TOKEN_FILE: house.tokenFile,
    GATEHOUSE_SECRETS_KEY_FILE: await house.writeSecretsKeys(),
  });
  const [tenant, instance, webKey] = (await Promise.all([
    import("../../functions/_worker/tasks/tenant__reconcile.ts"),
    import("../../functions/_worker/tasks/instance__reconcile.ts"),
    import("../../functions/_worker/tasks/web_key__rotate.ts"),
  ])).map((module) => module.default);

  const context = (): TaskContext => ({
    sql: house.worker,
    now: () => new Date(),
    holder: crypto.randomUUID(),
    stopping: new AbortController().signal,
  });
  /** The waiting jobs and in how many seconds each is due; the queue is empty afterwards. */
  async function takeJobs(): Promise<Record<string, number>> {
    const rows = await sql`
      select key, extract(epoch from run_at - now())::float as due from graphile_worker.jobs`;
    await sql`delete from graphile_worker._private_jobs`;
    return Object.fromEntries(rows.map(({ key, due }) => [key, due]));
  }
  const id = await house.createTenant({ slug: "acme", apps: [{ name: "Shop" }] });
  await takeJobs();

  await t.step("a tenant that comes before its instance waits in the queue", async () => {
    await tenant!({ tenantId: id }, context());
    const jobs = await takeJobs();
    assert.ok(jobs[`tenant__reconcile:${id}`]! > 1);
    assert.equal((await house.steps(id)).organization!.attempts, 0);
  });

  await t.step("the instance is prepared from the process's own configuration", async () => {
    await instance!({}, context());
    assert.equal(await house.states(platformTenantId), "ok ok ok ok ok ok ok ok ok skipped ok");
    assert.deepEqual(Object.keys(await takeJobs()), ["instance__reconcile"]);
  });

  await t.step("then the tenant becomes active, on record under the request's trace", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    await withFields({ traceparent }, () => tenant!({ tenantId: id, _otel: {} }, context()));
    assert.equal(await house.status(id), "active");
    const [event] = await sql`
      select actor, context from public.audit_events
       where tenant_id = ${id} and type = 'tenant.activated'`;
    assert.equal(event!.actor.kind, "system");
    assert.equal(event!.context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  });

  await t.step("what was done is looked at once more, what was found done is not", async () => {
    const due = (await takeJobs())[`tenant__reconcile:${id}`]!;
    assert.ok(due > 3 && due <= 5); // ZITADEL's projections are 2 s late at most
    await tenant!({ tenantId: id }, context());
    await instance!({}, context());
    assert.deepEqual(await takeJobs(), {});
  });

  await t.step("a change that waits in the queue is not put off by a run that ends", async () => {
    await sql`update public.apps set name = 'Market' where tenant_id = ${id}`;
    await tenant!({ tenantId: id }, context()); // the job that was running when the change came
    assert.ok((await takeJobs())[`tenant__reconcile:${id}`]! <= 0);
  });

  await t.step("a job that meets a running one comes back later", async () => {
    const lease = (tenantId: string) =>
      Lease.take({ sql: house.worker, tenantId, holder: "another", clock: Date.now });
    const held = [await lease(id), await lease(platformTenantId)];
    await tenant!({ tenantId: id }, context());
    await instance!({}, context());
    await webKey!({}, context());
    const jobs = await takeJobs();
    assert.deepEqual(Object.keys(jobs).sort(), [
      "instance__reconcile",
      `tenant__reconcile:${id}`,
      "web_key__rotate",
    ]);
    assert.ok(Object.values(jobs).every((due) => due > 1 && due <= 3));
    for (const one of held) await one!.release();
  });

  await t.step("the key rotation queues its own next move", async () => {
    await webKey!({}, context());
    const { web_key__rotate } = await takeJobs();
    assert.ok(web_key__rotate! > 80 * 86_400);
  });

  await t.step("a payload that is none is refused", async () => {
    await assert.rejects(tenant!({ tenantId: "acme" }, context()));
    await assert.rejects(tenant!({ tenantId: id, more: 1 }, context()));
  });
});
