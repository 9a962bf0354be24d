// From whoever has something to tell a person to the person's mail server: once, later, never.
import assert from "node:assert/strict";
import { parseKeyring, toBase64 } from "../../functions/_shared/secrets.ts";
import { databaseMailer } from "../../functions/_shared/mailer.ts";
import { jobs } from "../support/log.ts";
import { Mails } from "./mails_support.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("mails are sent", async (t) => {
  await using bench = await Mails.start();
  const { receiver, database: { sql } } = bench;
  const reset = () => {
    receiver.taken.length = 0;
    receiver.onSender = receiver.onRecipient = receiver.onData = () => undefined;
  };

  await t.step("what was queued arrives in the person's language, and is gone here", async () => {
    const link = "https://id.gatehouse.test/functions/v1/widget/link#code=A1B2C3";
    const id = await bench.queue({ link } as never);
    const before = await bench.row(id);
    const stored = JSON.stringify((await sql`select m::text as m from private.mails m`)[0]);
    assert.doesNotMatch(stored, /A1B2C3|vera|acme\.test/i, "neither code nor address lies open");
    await bench.run(id);
    const [mail, ...more] = receiver.taken;
    assert.equal(more.length, 0);
    assert.deepEqual(mail!.to, ["vera@acme.test"]);
    assert.match(mail!.from, /^"?Acme & Söhne"? <no-reply@gatehouse\.test>$/);
    assert.equal(mail!.messageId, `<${id}@gatehouse.test>`);
    assert.equal(mail!.headers["content-language"], "de");
    for (const part of [mail!.text, mail!.html]) assert.match(part, /A1B2C3/);
    assert(mail!.text.includes(link));
    assert.doesNotMatch(mail!.headers.subject!, /A1B2C3/);
    const after = await bench.row(id);
    assert.equal(before.state, "pending");
    assert.deepEqual([after.state, after.ciphertext, after.attempts], ["sent", null, 1]);
    await bench.run(id);
    assert.equal(receiver.taken.length, 1, "it is sent once");
  });

  await t.step("a change that is undone sends nothing, a key sends once", async () => {
    const [{ count: before }] = await sql<[{ count: number }]>`
      select count(*)::int as count from private.mails`;
    const functions = bench.database.connect("gatehouse_functions", { max: 1 });
    const mail = {
      kind: "sign_in_code" as const,
      tenantId: bench.tenantId,
      userId: "1",
      to: "vera@acme.test",
      language: undefined,
      code: "123456",
      expiresAt: new Date(Date.now() + 60_000),
      key: "undone",
    };
    await assert.rejects(
      functions.begin(async (tx) => {
        await bench.mailer.send(mail, tx);
        throw new Error("undone");
      }),
      { message: "undone" },
    );
    await bench.mailer.send(mail);
    await bench.mailer.send({ ...mail, code: "654321" });
    const [{ count: after }] = await sql<[{ count: number }]>`
      select count(*)::int as count from private.mails`;
    assert.equal(after - before, 1);
  });

  await t.step("what a server does not take now is tried again, as the same mail", async () => {
    reset();
    receiver.onRecipient = () => "451 4.7.1 grey-listed";
    const id = await bench.queue();
    await bench.run(id);
    const waiting = await bench.row(id);
    assert.equal(waiting.state, "pending");
    assert.deepEqual(waiting.last_error, {
      slug: "recipient_refused",
      reply: 451,
      enhanced: "4.7.1",
    });
    assert(waiting.dueInSeconds! > 0 && waiting.dueInSeconds! <= 5, `${waiting.dueInSeconds}`);
    await bench.makeDue(id, "1 minute");
    await bench.run(id);
    assert.equal((await bench.row(id)).attempts, 1, "not before its time");
    await bench.makeDue(id);
    await bench.run(id);
    assert((await bench.row(id)).dueInSeconds! > 10, "and later each time");
    receiver.onRecipient = () => undefined;
    // The server takes it and dies before it says so.
    receiver.onData = (mail) => {
      receiver.taken.push(mail);
      receiver.dropConnections();
      return undefined;
    };
    await bench.makeDue(id);
    await bench.run(id);
    assert.equal((await bench.row(id)).last_error!.slug, "connection_lost");
    receiver.onData = () => undefined;
    await bench.makeDue(id);
    await bench.run(id);
    assert.equal((await bench.row(id)).state, "sent");
    const ids = new Set(receiver.taken.map(({ messageId }) => messageId));
    assert(receiver.taken.length >= 2);
    assert.deepEqual([...ids], [`<${id}@gatehouse.test>`]);
  });

  await t.step(
    "what a server will never take ends; what the operator can mend does not",
    async () => {
      reset();
      receiver.onRecipient = () => "550 5.1.1 vera@acme.test is unknown here";
      const refused = await bench.queue();
      await bench.run(refused);
      const row = await bench.row(refused);
      assert.deepEqual([row.state, row.ciphertext], ["refused", null]);
      assert.deepEqual(row.last_error, {
        slug: "recipient_refused",
        reply: 550,
        enhanced: "5.1.1",
      });

      receiver.onSender = () => "550 5.7.1 not from you";
      const ours = await bench.queue();
      await bench.run(ours);
      const { state, last_error } = await bench.row(ours);
      assert.deepEqual([state, last_error!.slug], ["pending", "sender_refused"]);
      assert.deepEqual(receiver.taken, []);
    },
  );

  await t.step("a code that has run out is not sent", async () => {
    reset();
    const late = await bench.queue({ expiresAt: new Date(Date.now() - 1) });
    await bench.run(late);
    assert.equal((await bench.row(late)).state, "expired");
    receiver.onData = () => "451 later";
    const soon = await bench.queue({ expiresAt: new Date(Date.now() + 4_000) });
    await bench.run(soon);
    const { state, ciphertext } = await bench.row(soon);
    assert.deepEqual([state, ciphertext], ["expired", null], "the next try would come too late");
    assert.deepEqual(receiver.taken, []);
  });

  await t.step("a mail sealed for another row or by another key is not sent", async () => {
    reset();
    const [mine, other] = [await bench.queue(), await bench.queue({ to: "eve@eve.test" })];
    await sql`
      update private.mails m set ciphertext = o.ciphertext
        from private.mails o where m.id = ${mine} and o.id = ${other}`;
    await bench.run(mine);
    assert.equal((await bench.row(mine)).last_error!.slug, "mail_unusable");
    const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
    const foreign = await parseKeyring(JSON.stringify({ current: "k1", keys: { k1: key } }));
    await bench.run(other, { keyring: foreign });
    assert.equal((await bench.row(other)).last_error!.slug, "mail_unusable");
    assert.deepEqual(receiver.taken, []);
  });

  await t.step("without a mail server nothing is queued", async () => {
    const [{ count: before }] = await sql<[{ count: number }]>`
      select count(*)::int as count from private.mails`;
    const none = databaseMailer({ sql: () => sql, keyring: undefined });
    assert.equal(none.available, false);
    await none.send({
      kind: "sign_in_code",
      tenantId: bench.tenantId,
      userId: "1",
      to: "vera@acme.test",
      language: "en",
      code: "123456",
      expiresAt: new Date(),
    });
    const [{ count: after }] = await sql<[{ count: number }]>`
      select count(*)::int as count from private.mails`;
    assert.equal(after, before);
  });
});

Deno.test("worker processes send mails", async (t) => {
  await using bench = await Mails.start();
  const { receiver } = bench;

  await t.step("two of them send each mail once, and log neither code nor address", async () => {
    const workers = [await bench.startWorker(), await bench.startWorker()];
    const ids = await Promise.all(Array.from({ length: 30 }, () => bench.queue()));
    await eventually(
      "all are there",
      () => Promise.resolve(receiver.taken.length >= ids.length),
    );
    await eventually(
      "and settled",
      async () => (await jobs(bench.database.sql, "mail__send")).length === 0,
    );
    assert.deepEqual(
      receiver.taken.map(({ messageId }) => messageId).sort(),
      ids.map((id) => `<${id}@gatehouse.test>`).sort(),
    );
    for (const id of ids) assert.equal((await bench.row(id)).state, "sent");
    const refused = await bench.queue({ to: "eve@acme.test" });
    receiver.onRecipient = () => "550 5.1.1 no eve@acme.test";
    await eventually(
      "it is settled",
      async () => (await bench.row(refused)).state !== "pending",
    );
    await Promise.all(workers.map((worker) => worker.signal("SIGTERM")));
    const lines = workers.flatMap(({ lines }) => lines);
    assert(lines.some(({ message }) => message === "mail sent"));
    assert.doesNotMatch(JSON.stringify(lines), /A1B2C3|acme\.test/);
  });

  await t.step(
    "a worker that dies over a mail leaves it to the next, as the same mail",
    async () => {
      receiver.taken.length = 0;
      receiver.onRecipient = () => undefined;
      const arrived = Promise.withResolvers<void>();
      const never = new Promise<string>(() => {});
      receiver.onData = (mail) => {
        receiver.taken.push(mail);
        arrived.resolve();
        return never;
      };
      const dying = await bench.startWorker();
      const id = await bench.queue();
      await arrived.promise;
      await dying.signal("SIGKILL");
      receiver.onData = () => undefined;
      await bench.makeDue(id); // its two minutes are over
      await using _next = stopping(await bench.startWorker());
      await eventually("it is sent", async () => (await bench.row(id)).state === "sent");
      const ids = receiver.taken.map(({ messageId }) => messageId);
      assert.deepEqual(ids, [`<${id}@gatehouse.test>`, `<${id}@gatehouse.test>`]);
    },
  );
});

const stopping = (worker: { signal(name: Deno.Signal): Promise<unknown> }) => ({
  [Symbol.asyncDispose]: async () => void await worker.signal("SIGTERM"),
});
