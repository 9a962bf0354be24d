import assert from "node:assert/strict";
import { join } from "node:path";
import { derivedId } from "../../functions/provision/ids.ts";
import { root } from "../support/paths.ts";
import { deno, House } from "./provision_support.ts";

const alice = { email: "alice@acme.example" };

Deno.test("runs that meet", async (t) => {
  await using house = await House.open();
  const { zitadel, database: { sql } } = house;

  await t.step(
    "of two reconciles at once one does the work, and nothing is made twice",
    async () => {
      const id = await house.createTenant({ slug: "race", admin: alice, apps: [{ name: "Shop" }] });
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => house.reconcile(id)));
      const kinds = outcomes.map(({ kind }) => kind).sort();
      assert.deepEqual(kinds, ["done", "unfinished", "unfinished", "unfinished"]);
      assert.equal(await house.status(id), "active");
      assert.equal(await house.countEvents("org.added", id), 1);
      assert.equal(await house.countEvents("project.added", derivedId("project", id)), 1);
      assert.equal((await sql`select from public.assignments where tenant_id = ${id}`).length, 1);
    },
  );

  await t.step("a change made while a run is under way is not lost", async () => {
    const id = await house.createTenant({ slug: "meanwhile", apps: [{ name: "Shop" }] });
    await sql`delete from graphile_worker._private_jobs`;
    let renamed = false;
    const rename = async (boundary: string) => {
      if (renamed || boundary !== "after:zitadel:CreateApplication") return;
      renamed = true;
      await sql`update public.apps set name = 'Market' where tenant_id = ${id}`;
    };
    await house.reconcile(id, { onBoundary: rename });
    assert.ok(renamed);
    // The job of the change waits; its run sees that what was settled is not what is asked for now.
    const [job] = await sql`select key from graphile_worker.jobs`;
    assert.equal(job!.key, `tenant__reconcile:${id}`);
    assert.deepEqual(await house.reconcile(id), { kind: "done", status: "active", changed: true });
    const [app] = await sql`select id from public.apps where tenant_id = ${id}`;
    const now = await zitadel.ensureOidcApplication({
      projectId: derivedId("project", id),
      id: app!.id,
      name: "Market",
      kind: "spa",
      redirectUris: ["https://shop.example/callback"],
      postLogoutUris: [],
      developmentMode: false,
      enabled: true,
    });
    assert.equal(now.changed, false);
  });

  await t.step(
    "a run whose lease is taken over writes nothing more, in ZITADEL either",
    async () => {
      const id = await house.createTenant({ slug: "stolen", admin: alice });
      let stolen = 0;
      const steal = async (boundary: string) => {
        if (boundary !== "after:zitadel:CreateProject") return;
        await sql`
        update private.provisioning_leases
           set holder = 'thief', token = token + 1, expires_at = now() + interval '2 seconds'
         where tenant_id = ${id}`;
        stolen = await house.events();
        await new Promise((resolve) => setTimeout(resolve, 700)); // until the next renewal is refused
      };
      const outcome = await house.reconcile(id, { onBoundary: steal, leaseSeconds: 1 });
      assert.deepEqual(outcome, { kind: "unfinished" });
      assert.equal(await house.events(), stolen);
      assert.equal(await house.states(id), "ok ok pending pending pending pending pending");
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      assert.equal((await house.reconcile(id)).kind, "done");
      assert.equal(await house.status(id), "active");
    },
  );

  await t.step("a process that is asked to stop begins no further step", async () => {
    const id = await house.createTenant({ slug: "stopping", admin: alice });
    const stop = new AbortController();
    const onBoundary = (boundary: string) => {
      if (boundary === "before:zitadel:CreateProject") stop.abort();
    };
    const outcome = await house.reconcile(id, { stopping: stop.signal, onBoundary });
    assert.deepEqual(outcome, { kind: "unfinished" });
    assert.equal(await house.states(id), "ok ok ok pending pending pending pending");
    assert.equal((await house.reconcile(id)).kind, "done");
  });

  await t.step(
    "a run killed with -9 blocks the tenant for the length of its lease, no longer",
    async () => {
      const id = await house.createTenant({
        slug: "killed",
        admin: alice,
        apps: [{ name: "Shop" }],
      });
      const child = new Deno.Command(deno, {
        args: ["run", "-A", "--cached-only", join(root, "test/integration/provision_child.ts")],
        env: {
          CHILD_DB_URL: house.database.url("gatehouse_worker"),
          CHILD_ISSUER: house.issuer,
          CHILD_TOKEN_FILE: house.tokenFile,
          CHILD_TENANT: id,
          CHILD_HANGS_AT: "after:zitadel:CreateApplication",
          DENO_NO_UPDATE_CHECK: "1",
        },
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      assert.equal(await firstChunk(child.stdout), "hangs\n");
      child.kill("SIGKILL");
      await child.status;
      await child.stdout.cancel();

      assert.equal(await house.states(id), "ok ok ok ok pending pending pending");
      assert.deepEqual(await house.reconcile(id), { kind: "unfinished" }); // the dead one's lease
      const killedAt = Date.now();
      let outcome = await house.reconcile(id);
      while (outcome.kind === "unfinished" && Date.now() - killedAt < 10_000) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        outcome = await house.reconcile(id);
      }
      assert.deepEqual(outcome, { kind: "done", status: "active", changed: true });
      const before = await house.events();
      assert.deepEqual(await house.reconcile(id), {
        kind: "done",
        status: "active",
        changed: false,
      });
      assert.equal(await house.events(), before);
      assert.equal(await house.countEvents("org.added", id), 1);
    },
  );
});

async function firstChunk(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value);
}
