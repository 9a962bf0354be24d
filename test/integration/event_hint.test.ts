// ZITADEL tells us to look now: the instance's saga arranges it, ZITADEL signs and calls, one poll is queued. Nobody else's word counts.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { openText, parseKeyring, readSealed } from "../../functions/_shared/secrets.ts";
import { hintKeyName, hintKeyPlace } from "../../functions/zitadel/signing_key.ts";
import { House } from "./provision_support.ts";

Deno.test("an event in ZITADEL queues one poll, at once and by its signature", async (t) => {
  await using house = await House.open({ prepared: false });
  const { sql } = house.database;
  Deno.env.set("GATEHOUSE_DB_URL", house.database.url("gatehouse_provision"));
  Deno.env.set("GATEHOUSE_SECRETS_KEY_FILE", await house.writeSecretsKeys());
  Deno.env.set("LOG_LEVEL", "error");
  const { app } = await import("../../functions/zitadel/app.ts");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const url = new URL(request.url);
      return app.fetch(
        new Request(url.origin + url.pathname.slice("/functions/v1".length), request),
      );
    },
  );
  const functionsUrl = `http://127.0.0.1:${server.addr.port}/functions/v1`;
  const polls = async () =>
    (await sql`
      select key from graphile_worker.jobs where task_identifier = 'zitadel__poll_events'`).length;
  const say = async (key: string, signed: string, sent = signed) => {
    const at = Math.floor(Date.now() / 1000);
    const v1 = createHmac("sha256", key).update(`${at}.${signed}`).digest("hex");
    const response = await fetch(`${functionsUrl}/zitadel/events`, {
      method: "POST",
      headers: { "zitadel-signature": `t=${at},v1=${v1}` },
      body: sent,
    });
    await response.body?.cancel();
    return response.status;
  };
  const keptKey = async () => {
    const [row] = await sql`select private.get_sealed_setting(${hintKeyName}) as sealed`;
    if (!row!.sealed) return null;
    const ring = await parseKeyring(house.secretsKeys);
    return await openText(readSealed(row!.sealed), hintKeyPlace, ring);
  };

  await t.step("before the instance is prepared nothing is believed", async () => {
    assert.equal(await say("a key", "{}"), 401);
  });

  await t.step(
    "the saga seals the key that ZITADEL signs with; a second run writes nothing",
    async () => {
      await house.prepare({ facts: { functionsUrl } });
      const key = await keptKey();
      assert.ok(key);
      const [before] = await sql`select ciphertext from private.sealed_settings`;
      await house.prepare({ facts: { functionsUrl } });
      const [after] = await sql`select ciphertext from private.sealed_settings`;
      assert.deepEqual(after, before);
    },
  );

  await t.step("an event of a person queues a poll", async () => {
    await sql`delete from graphile_worker._private_jobs`;
    await house.zitadel.ensureMachine({
      orgId: (await house.zitadel.getDefaultOrganization()).id,
      userName: "somebody",
      name: "Somebody",
    });
    for (let tries = 0; await polls() === 0; tries++) {
      assert.ok(tries < 250, "no hint came");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(await polls(), 1);
  });

  await t.step("another key, another body and no signature queue nothing", async () => {
    await sql`delete from graphile_worker._private_jobs`;
    assert.equal(await say("another key", "{}"), 401);
    assert.equal(await say((await keptKey())!, "{}", '{"a": 1}'), 401);
    const bare = await fetch(`${functionsUrl}/zitadel/events`, { method: "POST", body: "{}" });
    await bare.body?.cancel();
    assert.equal(bare.status, 401);
    assert.equal(await polls(), 0);
    assert.equal(await say((await keptKey())!, "{}"), 204);
    assert.equal(await say((await keptKey())!, "{}"), 204);
    assert.equal(await polls(), 1);
  });
});
