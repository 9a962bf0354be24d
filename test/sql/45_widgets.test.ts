// WGT: a tenant's sign-in has a draft, and versions that never change. alice administers A, bob is a member of A, audrey reads A, eve administers E.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TransactionSql } from "postgres";
import { apps, as, people, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { en } from "../../widget/src/texts/en.ts";

const database = suiteDatabase();

interface Version {
  number: number;
  hash: string;
  body: string;
  restores: number | null;
}

async function draft(tx: TransactionSql, row: Record<string, unknown> = {}): Promise<string> {
  const [made] = await tx`
    insert into public.widget_configs ${tx({ tenant_id: tenants.A, ...row })} returning id`;
  return made!.id;
}

async function publish(tx: TransactionSql, id: string): Promise<Version> {
  const [row] = await tx<Version[]>`
    select number, hash, body, restores from public.publish_widget_config(${tenants.A}, ${id})`;
  return row!;
}

async function revert(tx: TransactionSql, id: string, number: number): Promise<Version> {
  const [row] = await tx<Version[]>`
    select number, hash, body, restores
      from public.revert_widget_config(${tenants.A}, ${id}, ${number})`;
  return row!;
}

/** As the widget function asks. */
async function seen(tx: TransactionSql, app: string | null, tenant: string = tenants.A) {
  return await asOwner(tx, async () => {
    await tx`set local role gatehouse_functions`;
    const [row] = await tx`select private.widget_look(${tenant}, ${app}) as found`;
    await tx`reset role`;
    return row!.found as { hash: string; document: Record<string, unknown> } | null;
  });
}

const refused = (slug: string, status = 422) => refusal(slug, status);

Deno.test("WGT-01 nobody sees a draft; what is published is seen, with its hash, and is on record", async () => {
  await as(database().sql, "alice", async (tx) => {
    const theme = { light: { accent: "#5A189A" }, radius: 4, font: "serif" };
    const id = await draft(tx, { theme, layout: "split", flows: { register: false } });
    assert.equal(await seen(tx, apps.A.id), null);

    const version = await publish(tx, id);
    assert.equal(version.number, 1);
    assert.equal(version.hash, createHash("sha256").update(version.body).digest("hex"));
    assert.deepEqual(await seen(tx, apps.A.id), {
      hash: version.hash,
      document: JSON.parse(version.body),
    });
    const { look, flows, languages } = JSON.parse(version.body);
    assert.deepEqual(look.tokens, {
      accent: "light-dark(#5a189a, #7cd9bf)",
      radius: "4px",
      font: 'Charter, "Bitstream Charter", "Sitka Text", Cambria, "Noto Serif", serif',
    });
    assert.deepEqual([look.layout, look.texts, "logoUrl" in look], ["split", {}, false]);
    assert.deepEqual(flows, {
      password: true,
      passkey: true,
      email_code: false,
      register: false,
      reset: true,
    });
    assert.deepEqual(languages, ["en", "ru", "de", "fr", "es", "da", "ar"]);

    const events = await asOwner(tx, () => eventsOf(tx, tenants.A, "widget_config.%"));
    assert.deepEqual(events.map(({ type }) => type), [
      "widget_config.created",
      "widget_config.published",
    ]);
    assert.deepEqual(events[1]!.targets, [{ kind: "widget_config", id }]);
    assert.deepEqual(events[1]!.data, {
      app_id: null,
      number: 1,
      hash: version.hash,
      restores: null,
    } as never);
    assert.equal(events[1]!.actor.id, people.alice.id);
  });
});

Deno.test("WGT-02 publishing the same again is the same version and no event", async () => {
  await as(database().sql, "alice", async (tx) => {
    const id = await draft(tx);
    const first = await publish(tx, id);
    assert.deepEqual(await publish(tx, id), first);
    const events = await asOwner(tx, () => eventsOf(tx, tenants.A, "widget_config.published"));
    assert.equal(events.length, 1);
  });
});

Deno.test("WGT-03 reverting publishes an earlier version under a new number; the draft stays", async () => {
  await as(database().sql, "alice", async (tx) => {
    const id = await draft(tx, { layout: "plain" });
    const first = await publish(tx, id);
    await tx`update public.widget_configs set layout = 'split' where id = ${id}`;
    const second = await publish(tx, id);
    assert.notEqual(second.hash, first.hash);

    const third = await revert(tx, id, 1);
    assert.deepEqual(third, { number: 3, hash: first.hash, body: first.body, restores: 1 });
    assert.equal((await seen(tx, null))!.hash, first.hash);
    const [row] = await tx`select layout from public.widget_configs where id = ${id}`;
    assert.equal(row!.layout, "split");

    assert.deepEqual(await revert(tx, id, 3), third); // it is what people see already
    await assert.rejects(
      tx.savepoint((s) => revert(s, id, 9)),
      refused("widget_version_not_found", 404),
    );
  });
});

Deno.test("WGT-04 a version is never changed, not by the owner either", async () => {
  await as(database().sql, "alice", async (tx) => {
    const id = await draft(tx);
    await publish(tx, id);
    await assert.rejects(
      tx.savepoint((s) => s`update public.widget_config_versions set body = '{}'`),
      { code: "42501" },
    );
    await assert.rejects(tx.savepoint((s) => s`delete from public.widget_config_versions`), {
      code: "42501",
    });
    await asOwner(tx, () =>
      assert.rejects(
        tx.savepoint((s) => s`update public.widget_config_versions set number = 9`),
        refused("widget_version_immutable", 409),
      ));
  });
});

Deno.test("WGT-05 an application's own comes before the tenant's, once it is published", async () => {
  await as(database().sql, "alice", async (tx) => {
    const all = await publish(tx, await draft(tx, { layout: "plain" }));
    const id = await draft(tx, { app_id: apps.A.id, layout: "split" });
    assert.equal((await seen(tx, apps.A.id))!.hash, all.hash);
    const own = await publish(tx, id);
    assert.equal((await seen(tx, apps.A.id))!.hash, own.hash);
    assert.equal((await seen(tx, null))!.hash, all.hash);
    assert.equal(await seen(tx, apps.E.id, tenants.E), null);

    await tx`delete from public.widget_configs where id = ${id}`;
    assert.equal((await seen(tx, apps.A.id))!.hash, all.hash);
  });
});

Deno.test("WGT-06 a tenant has one for all its applications and one for each, of its own only", async () => {
  await as(database().sql, "alice", async (tx) => {
    await draft(tx);
    await draft(tx, { app_id: apps.A.id });
    for (const app_id of [null, apps.A.id]) {
      await assert.rejects(tx.savepoint((s) => draft(s, { app_id })), {
        constraint_name: "widget_config_taken",
      });
    }
    await assert.rejects(tx.savepoint((s) => draft(s, { app_id: apps.E.id })), {
      constraint_name: "widget_config_app_unknown",
    });
  });
});

Deno.test("WGT-07 eve of another tenant reads, changes, publishes and reverts nothing of it", async () => {
  let id = "";
  const arrange = async (tx: TransactionSql) => {
    const [row] = await tx`
      insert into public.widget_configs (tenant_id) values (${tenants.A}) returning id`;
    id = row!.id;
  };
  for (const actor of ["eve", "visitor", "mallory"] as const) {
    await as(database().sql, actor, async (tx) => {
      for (
        const table of ["widget_configs", "widget_config_versions", "widget_logos"]
      ) {
        assert.equal((await tx`select from ${tx(`public.${table}`)}`).length, 0, table);
      }
      assert.equal((await tx`update public.widget_configs set layout = 'plain'`).count, 0);
      assert.equal((await tx`delete from public.widget_configs`).count, 0);
      await assert.rejects(tx.savepoint((s) => draft(s)), { code: "42501" });
      await assert.rejects(tx.savepoint((s) => publish(s, id)), refused("not_allowed", 403));
      await assert.rejects(tx.savepoint((s) => revert(s, id, 1)), refused("not_allowed", 403));
      await assert.rejects( // her own right does not reach a foreign draft
        tx.savepoint((s) => s`select public.publish_widget_config(${tenants.E}, ${id})`),
        actor === "eve" ? refused("widget_config_not_found", 404) : refused("not_allowed", 403),
      );
    }, { arrange });
  }
});

Deno.test("WGT-08 audrey reads and does not write; bob, a member, does neither", async () => {
  const arrange = (tx: TransactionSql) =>
    tx`insert into public.widget_configs (tenant_id) values (${tenants.A})`;
  for (const [actor, rows] of [["audrey", 1], ["bob", 0]] as const) {
    await as(database().sql, actor, async (tx) => {
      assert.equal((await tx`select from public.widget_configs`).length, rows);
      assert.equal((await tx`update public.widget_configs set layout = 'plain'`).count, 0);
      await assert.rejects(tx.savepoint((s) => draft(s, { app_id: apps.A.id })), { code: "42501" });
    }, { arrange });
  }
});

Deno.test("WGT-09 what a configuration may say is on lists; the refusal says what", async () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ theme: { light: { "--evil": "#ffffff" } } }, "widget_theme_refused"],
    [{ theme: { light: { accent: "red" } } }, "widget_theme_refused"],
    [{ theme: { light: { accent: "url(https://eve.example/)" } } }, "widget_theme_refused"],
    [{ theme: { light: { accent: "#fff" } } }, "widget_theme_refused"],
    [{ theme: { light: { accent: 7 } } }, "widget_theme_refused"],
    [{ theme: { light: [] } }, "widget_theme_refused"],
    [{ theme: { sepia: {} } }, "widget_theme_refused"],
    [{ theme: { radius: 33 } }, "widget_theme_refused"],
    [{ theme: { radius: 1.5 } }, "widget_theme_refused"],
    [{ theme: { radius: "4px; background: url(//eve)" } }, "widget_theme_refused"],
    [{ theme: { font: "Comic Sans, url(//eve)" } }, "widget_theme_refused"],
    [{ theme: [] }, "widget_theme_refused"],
    [{ flows: { password: "no" } }, "widget_flows_refused"],
    [{ flows: { magic: true } }, "widget_flows_refused"],
    [{ texts: { xx: {} } }, "widget_texts_refused"],
    [{ texts: { en: { unheard_of: "x" } } }, "widget_texts_refused"],
    [{ texts: { en: { signIn: "" } } }, "widget_texts_refused"],
    [{ texts: { en: { signIn: "x".repeat(301) } } }, "widget_texts_refused"],
    [{ texts: { en: { signIn: "two\nlines" } } }, "widget_texts_refused"],
    [{ texts: { en: { signIn: "a\u202eb" } } }, "widget_texts_refused"],
    [{ texts: { en: { signIn: { html: "<b>" } } } }, "widget_texts_refused"],
    [{ languages: [] }, "widget_languages_refused"],
    [{ languages: ["en", "en"] }, "widget_languages_refused"],
    [{ languages: ["tlh"] }, "widget_languages_refused"],
    [{ languages: ["en", null] }, "widget_languages_refused"],
    [{ terms_url: "javascript:alert(1)" }, "widget_link_refused"],
    [{ terms_url: "http://shop.example/terms" }, "widget_link_refused"],
    [{ privacy_url: 'https://shop.example/"><script>' }, "widget_link_refused"],
    [{ privacy_url: "https://shop.example@eve.example/" }, "widget_link_refused"],
  ];
  await as(database().sql, "alice", async (tx) => {
    for (const [row, slug] of wrong) {
      await assert.rejects(
        tx.savepoint((s) => draft(s, row)),
        refused(slug),
        JSON.stringify(row),
      );
    }
    await assert.rejects(tx.savepoint((s) => draft(s, { layout: "newspaper" })), {
      constraint_name: "widget_layout_unknown",
    });
    await draft(tx, {
      texts: { de: { signIn: "Anmelden <b>bei uns</b>" }, ar: { signIn: "تسجيل الدخول" } },
      languages: ["de", "ar"],
      terms_url: "https://shop.example:8443/terms?lang=de#top",
      privacy_url: "https://shop.example",
    });
  });
});

Deno.test("WGT-10 many who publish at once make one version of what is the same, and no number twice", async () => {
  const { sql } = database();
  const [row] = await sql`
    insert into public.widget_configs (tenant_id) values (${tenants.E}) returning id`;
  const asEve = (change: (tx: TransactionSql) => Promise<unknown>) =>
    sql.begin(async (tx) => {
      await tx`select set_config('gatehouse.principal_id', ${people.eve.id}, true),
        set_config('gatehouse.principal_kind', 'user', true),
        set_config('gatehouse.client_kind', 'portal', true)`;
      await change(tx);
      const [version] = await tx`
        select number from public.publish_widget_config(${tenants.E}, ${row!.id})`;
      return version!.number as number;
    });
  const same = await Promise.all(Array.from({ length: 6 }, () => asEve(() => Promise.resolve())));
  assert.deepEqual(same, [1, 1, 1, 1, 1, 1]);
  const numbers = await Promise.all(
    [2, 4, 6, 8].map((radius) =>
      asEve((tx) =>
        tx`update public.widget_configs set theme = ${tx.json({ radius })} where id = ${row!.id}`
      )
    ),
  );
  assert.deepEqual(numbers.toSorted(), [2, 3, 4, 5]);
});

Deno.test("WGT-11 the texts that a tenant may replace are those that the widget has", async () => {
  const [row] = await database().sql`select private.widget_text_keys() as keys`;
  assert.deepEqual(row!.keys.toSorted(), Object.keys(en).toSorted());
});
