// An erased person is gone at ZITADEL too, and provisioning does not bring them back.
import assert from "node:assert/strict";
import { environment, House } from "./provision_support.ts";

Deno.test("an erased person is removed at ZITADEL, nobody else, and the saga leaves it so", async () => {
  await using house = await House.open();
  using _ = environment({
    LOG_LEVEL: "error",
    GATEHOUSE_PROFILE: "embedded",
    ZITADEL_ISSUER: house.issuer,
    ZITADEL_PROVISIONER_TOKEN_FILE: house.tokenFile,
  });
  const { default: remove } = await import("../../functions/_worker/tasks/user__remove.ts");
  const { sql } = house.database;
  const context = {
    sql: house.worker,
    now: () => new Date(),
    holder: "test",
    stopping: new AbortController().signal,
  };
  const id = await house.createTenant({ slug: "acme", admin: { email: "ada@acme.example" } });
  await house.reconcile(id);
  const [user] = await sql`select id, subject from public.users where home_tenant_id = ${id}`;

  await remove({ userId: user!.id }, context);
  assert.ok(await house.zitadel.getUser(user!.subject), "one who is not erased stays");

  await sql`select private.erase_user(u) from public.users u where id = ${user!.id}`;
  await remove({ userId: user!.id }, context);
  assert.equal(await house.zitadel.getUser(user!.subject), null);
  await remove({ userId: user!.id }, context); // twice does no harm

  await house.reconcile(id);
  assert.equal(await house.zitadel.getUser(user!.subject), null);
  const [left] = await sql`
    select login_name, email, state from public.users where id = ${user!.id}`;
  assert.deepEqual({ ...left }, { login_name: null, email: null, state: "removed" });
});
