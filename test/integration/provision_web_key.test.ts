import assert from "node:assert/strict";
import { rotateWebKey, rotation } from "../../functions/provision/web_key.ts";
import { House } from "./provision_support.ts";

Deno.test("ZITADEL's signing key is rotated: publish, wait, activate, wait, retire", async (t) => {
  await using house = await House.open();
  const { zitadel, database: { sql } } = house;
  let now = Date.now();
  const move = (force = false) =>
    rotateWebKey({
      sql: house.worker,
      zitadel,
      issuer: house.issuer,
      readKeys: house.facts.readKeys,
      clock: () => now,
      force,
    });
  const keyOf = async (state: string) =>
    (await zitadel.listWebKeys()).filter((key) => key.state === state).map(({ id }) => id);
  const known = async () =>
    (await sql`select kid from private.verification_keys where issuer = ${house.issuer} order by 1`)
      .map(({ kid }) => kid as string);

  const [first] = await keyOf("active");

  await t.step("nothing is due for three months", async () => {
    assert.equal(await move(), now + rotation.everyMs);
    now += rotation.everyMs - 1;
    assert.equal(await move(), now + 1);
    assert.deepEqual(await keyOf("active"), [first]);
  });

  let next: string;
  await t.step("then a key is published, and our database knows it before it signs", async () => {
    now += 1;
    assert.equal(await move(), now + rotation.publishMs);
    [next] = await keyOf("initial") as [string];
    assert.ok((await known()).includes(next));
    assert.deepEqual(await keyOf("active"), [first]);
  });

  await t.step(
    "a call too early, and a run cut off after its write, change nothing more",
    async () => {
      const keys = await zitadel.listWebKeys();
      assert.equal(await move(), now + rotation.publishMs);
      assert.equal(await move(true), now + rotation.publishMs); // force begins one, it shortens no wait
      // As if the process had died before it wrote down what it had done.
      await sql`update public.settings set value = ${sql.json({ phase: "idle", at: 0 })}
      where key = 'zitadel.web_key_rotation'`;
      await move();
      assert.deepEqual(await zitadel.listWebKeys(), keys);
    },
  );

  await t.step("after the caches' time it signs, and the old one still verifies", async () => {
    now += rotation.publishMs;
    assert.equal(await move(), now + rotation.retireMs);
    assert.deepEqual(await keyOf("active"), [next]);
    assert.ok((await known()).includes(first!));
  });

  await t.step("when its last token has expired the old one is gone, here too", async () => {
    now += rotation.retireMs;
    assert.equal(await move(), now + rotation.everyMs);
    assert.ok(!(await zitadel.listWebKeys()).some(({ id }) => id === first));
    assert.ok(!(await known()).includes(first!));
    assert.ok((await known()).includes(next));
  });

  await t.step("an operator may begin one at once", async () => {
    assert.equal(await move(true), now + rotation.publishMs);
    assert.equal((await keyOf("initial")).length, 1);
  });

  await t.step("a published key that somebody removed begins again", async () => {
    for (const id of await keyOf("initial")) await zitadel.removeWebKey(id);
    now += rotation.publishMs;
    assert.ok(await move() <= now);
    assert.equal(await move(), now + rotation.publishMs);
    assert.equal((await keyOf("initial")).length, 1);
  });
});
