// MAIL: a mail is queued once, held by one who sends, settled once; what it said is gone then. Nobody reads it.
import assert from "node:assert/strict";
import type { ISql, TransactionSql } from "postgres";
import { as, people, tenants } from "../support/actors.ts";
import { asOwner, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const { bob } = people;

/** As one of our processes. */
async function by<T>(tx: TransactionSql, role: string, run: () => Promise<T>): Promise<T> {
  await tx`select set_config('role', ${role}, true)`;
  const result = await run();
  await tx`reset role`;
  return result;
}

async function queue(
  tx: TransactionSql,
  { tenant = tenants.A, key = "k", expiresIn = "10 minutes", role = "gatehouse_functions" }: {
    tenant?: string;
    key?: string;
    expiresIn?: string;
    role?: string;
  } = {},
): Promise<void> {
  await by(
    tx,
    role,
    () =>
      tx`
      select private.queue_mail(${tenant}, ${key}, ${bob.subject}, 'verification', 'de',
        now() + ${expiresIn}::interval, 'k1', '\\x00ff')`,
  );
}

interface Row {
  tenant_id: string;
  id: string;
  state: string;
  attempts: number;
  ciphertext: Uint8Array | null;
  key_id: string | null;
  last_error: unknown;
  due_in: number | null;
}

const rows = (tx: ISql) =>
  tx<Row[]>`
    select tenant_id, id, state, attempts, ciphertext, key_id, last_error,
           extract(epoch from next_attempt_at - clock_timestamp())::float8 as due_in
      from private.mails order by id`;

async function only(tx: ISql): Promise<Row> {
  const [row, ...more] = await rows(tx);
  assert.equal(more.length, 0);
  return row!;
}

async function claim(tx: TransactionSql, { tenant_id, id }: Row, tenant = tenant_id) {
  const [row] = await by(
    tx,
    "gatehouse_worker",
    () => tx`select private.claim_mail(${tenant}, ${id}, 60) as c`,
  );
  return row!.c as Record<string, unknown> | null;
}

async function settle(
  tx: TransactionSql,
  { tenant_id, id }: Row,
  attempt: number,
  state: string,
  retrySeconds: number | null = null,
): Promise<string | null> {
  const error = state === "sent" ? null : tx.json({ slug: "content_refused", reply: 450 });
  const [row] = await by(
    tx,
    "gatehouse_worker",
    () =>
      tx`
      select private.settle_mail(${tenant_id}, ${id}, ${attempt}, ${state}, ${error}, ${retrySeconds}) as s`,
  );
  return row!.s;
}

Deno.test("MAIL-01 the public functions queue a mail and its job in one transaction; the key makes it one", async () => {
  await undone(database().sql, async (tx) => {
    await queue(tx);
    await queue(tx, { expiresIn: "20 minutes" });
    await queue(tx, { key: "other" });
    await queue(tx, { tenant: tenants.E });
    const made = await rows(tx);
    assert.equal(made.length, 3);
    const queued = await jobs(tx, "mail__send");
    assert.deepEqual(
      queued.map(({ key, payload }) => ({ key, payload })),
      made.map(({ tenant_id, id }) => ({
        key: `mail__send:${id}`,
        payload: { tenantId: tenant_id, id },
      })),
    );
  });
});

Deno.test("MAIL-02 who queues cannot look, who sends cannot queue, nobody reads the table", async () => {
  await undone(database().sql, async (tx) => {
    await queue(tx);
    const { tenant_id, id } = await only(tx);
    const refused = async (role: string, statement: string) => {
      await assert.rejects(
        tx.savepoint(async (inner) => {
          await inner.unsafe(`set local role ${role}`);
          await inner.unsafe(statement);
        }),
        { code: "42501" },
        `${role}: ${statement}`,
      );
    };
    const claims = `select private.claim_mail('${tenant_id}', '${id}', 60)`;
    const settles = `select private.settle_mail('${tenant_id}', '${id}', 1, 'sent')`;
    const queues =
      `select private.queue_mail('${tenant_id}', 'x', '1', 'verification', null, now(), 'k', '\\x00')`;
    const others = ["anon", "authenticated", "gatehouse_platform", "authenticator"];
    for (const role of [...others, "gatehouse_functions", "gatehouse_provision"]) {
      await refused(role, claims);
      await refused(role, settles);
      await refused(role, "select private.retain_mails(1)");
    }
    for (const role of [...others, "gatehouse_worker"]) {
      await refused(role, queues);
    }
    for (const role of [...others, "gatehouse_functions", "gatehouse_worker"]) {
      await refused(role, "select key from private.mails");
      await refused(role, "insert into private.mails default values");
      await refused(role, "delete from private.mails");
    }
  });
});

Deno.test("MAIL-03 a claim holds the mail; another one is told to wait; the wrong tenant finds nothing", async () => {
  await undone(database().sql, async (tx) => {
    await queue(tx);
    const mail = await only(tx);
    assert.equal(await claim(tx, mail, tenants.E), null);
    const { key, kind, language, attempt, keyId, ciphertext, look } = (await claim(tx, mail))!;
    assert.deepEqual({ key, kind, language, attempt, keyId, ciphertext, look }, {
      key: "k",
      kind: "verification",
      language: "de",
      attempt: 1,
      keyId: "k1",
      ciphertext: "AP8=",
      look: { tenantName: "Tenant A" },
    });
    const second = (await claim(tx, mail))!;
    assert.deepEqual(Object.keys(second), ["waitSeconds"]);
    const wait = Number(second.waitSeconds);
    assert(wait > 0 && wait <= 60, `${wait}`);
  });
});

Deno.test("MAIL-04 a settled mail keeps neither address nor content, and settles once", async () => {
  for (const state of ["sent", "refused"]) {
    await undone(database().sql, async (tx) => {
      await queue(tx);
      const mail = await only(tx);
      await claim(tx, mail);
      assert.equal(await settle(tx, mail, 2, state), null, "an attempt that was never made");
      assert.equal(await settle(tx, mail, 1, state), state);
      assert.equal(await settle(tx, mail, 1, "refused"), null);
      const after = await only(tx);
      assert.equal(after.state, state);
      assert.deepEqual([after.ciphertext, after.key_id, after.due_in], [null, null, null]);
      assert.equal(await claim(tx, mail), null);
    });
  }
});

Deno.test("MAIL-05 a mail to be tried again is queued for then, and an attempt that lost its hold settles nothing", async () => {
  await undone(database().sql, async (tx) => {
    await queue(tx);
    const mail = await only(tx);
    await claim(tx, mail);
    assert.equal(await settle(tx, mail, 1, "pending", 120), "pending");
    const after = await only(tx);
    assert(after.due_in! > 100 && after.due_in! <= 120, `${after.due_in}`);
    assert.deepEqual(after.last_error, { slug: "content_refused", reply: 450 });
    assert(after.ciphertext !== null);
    const [{ runs_in }] = await tx<[{ runs_in: number }]>`
      select extract(epoch from run_at - now())::float8 as runs_in from graphile_worker._private_jobs
       where key = ${`mail__send:${mail.id}`}`;
    assert(runs_in > 100 && runs_in <= 121, `${runs_in}`);

    await tx`update private.mails set next_attempt_at = now() - interval '1 second'`;
    assert.equal((await claim(tx, mail))!.attempt, 2);
    assert.equal(await settle(tx, mail, 1, "sent"), null, "the first attempt came back late");
    assert.equal((await only(tx)).state, "pending");
  });
});

Deno.test("MAIL-06 what has run out is not handed out, and is not tried again after its end", async () => {
  await undone(database().sql, async (tx) => {
    await queue(tx, { expiresIn: "-1 second" });
    const mail = await only(tx);
    assert.equal(await claim(tx, mail), null);
    const { state, ciphertext } = await only(tx);
    assert.deepEqual({ state, ciphertext }, { state: "expired", ciphertext: null });
  });
  await undone(database().sql, async (tx) => {
    await queue(tx, { expiresIn: "1 minute" });
    const mail = await only(tx);
    await claim(tx, mail);
    assert.equal(await settle(tx, mail, 1, "pending", 120), "expired");
    const { state, ciphertext } = await only(tx);
    assert.deepEqual({ state, ciphertext }, { state: "expired", ciphertext: null });
  });
});

Deno.test("MAIL-07 retention ends what nobody sent and deletes what was settled long ago, as the setting says", async () => {
  await undone(database().sql, async (tx) => {
    await queue(tx, { expiresIn: "-1 second" });
    await queue(tx, { key: "sent" });
    await queue(tx, { key: "waiting" });
    const retain = () =>
      by(tx, "gatehouse_worker", () => tx`select private.retain_mails(100) as n`)
        .then(([row]) => row!.n);
    const sent = (await rows(tx))[1]!;
    await claim(tx, sent);
    await settle(tx, sent, 1, "sent");
    assert.equal(await retain(), 0);
    assert.deepEqual((await rows(tx)).map(({ state }) => state), ["expired", "sent", "pending"]);
    await tx`update private.mails set settled_at = settled_at - interval '8 days' where key = 'sent'`;
    assert.equal(await retain(), 0);
    await tx`update public.settings set value = '7' where key = 'mails.retention_days'`;
    assert.equal(await retain(), 1);
    assert.deepEqual((await rows(tx)).map(({ state }) => state), ["expired", "pending"]);
  });
});

Deno.test("MAIL-08 an erased person's mails go, those that wait too; others' stay", async () => {
  await as(
    database().sql,
    "alice",
    async (tx) => {
      await tx`select public.erase_person(${bob.id})`;
      await asOwner(tx, async () => {
        const left = await tx`select user_subject from private.mails`;
        assert.deepEqual(left.map(({ user_subject }) => user_subject), [people.eve.subject]);
      });
    },
    {
      arrange: async (tx) => {
        await queue(tx);
        await tx`
        select private.queue_mail(${tenants.E}, 'k', ${people.eve.subject}, 'verification', null, now(), 'k', '\\x00')`;
      },
    },
  );
});

Deno.test("MAIL-09 a mail looks as its tenant published it, and not as another one did", async () => {
  // 1 × 1, the smallest PNG there is.
  const png = Uint8Array.fromHex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" +
      "1f15c4890000000d49444154789c6360f8cf500f00038601805a347d6b0000000049454e44ae426082",
  );
  const publish = async (tx: TransactionSql, theme: object, picture: Uint8Array) => {
    const [logo] = await tx`
      insert into public.widget_logos (tenant_id, bytes) values (${tenants.A}, ${picture}) returning hash`;
    const [draft] = await tx`
      insert into public.widget_configs (tenant_id, theme, logo_hash)
      values (${tenants.A}, ${tx.json(theme as never)}, ${logo!.hash}) returning id`;
    await tx`select public.publish_widget_config(${tenants.A}, ${draft!.id})`;
  };
  const looks = async (tx: TransactionSql) => {
    const [row] = await tx`
      select private.mail_look(${tenants.A}) as a, private.mail_look(${tenants.E}) as e`;
    return row!;
  };
  const theme = { light: { accent: "#112233" }, radius: 4 };
  await as(database().sql, "alice", async (tx) => {
    await publish(tx, theme, png);
    const { a, e } = await asOwner(tx, () => looks(tx));
    assert.deepEqual(a, {
      tenantName: "Tenant A",
      tokens: { accent: "light-dark(#112233, #7cd9bf)", radius: "4px" },
      logo: { mediaType: "image/png", data: png.toBase64() },
    });
    assert.deepEqual(e, { tenantName: "Tenant E" });
  });
  await as(database().sql, "alice", async (tx) => {
    const drawn = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"></svg>');
    await publish(tx, theme, drawn);
    const { a } = await asOwner(tx, () => looks(tx));
    assert.equal(a.logo, undefined, "mail programs do not show it");
  });
});
