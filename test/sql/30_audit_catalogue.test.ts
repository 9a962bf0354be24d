// CAT: the catalogue of events says what the log holds, and says it of every governed table.
import assert from "node:assert/strict";
import { eventsFile, eventsPage, readEventTypes } from "../../scripts/docs/events.ts";
import { apps, as, people, tenants } from "../support/actors.ts";
import { catalogueFaults, validatorOf } from "../support/catalogue.ts";
import { undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

interface EventType {
  name: string;
  version: number;
  description: string;
  schema: Record<string, unknown>;
  example: object;
}

const types = () => database().sql<EventType[]>`select * from public.event_types order by name`;

Deno.test("CAT-01 every type has a closed schema of JSON Schema 2020-12, and an example that it takes", async () => {
  for (const { name, description, schema, example } of await types()) {
    assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema", name);
    assert.equal(schema.additionalProperties, false, name);
    assert.ok(description.length > 10 && !description.endsWith("."), name);
    const valid = validatorOf(schema);
    assert.ok(valid(example), `${name}: ${JSON.stringify(valid.errors)}`);
  }
});

Deno.test("CAT-02 the schemas of changes are those that the tables have now", async () => {
  await undone(database().sql, async (tx) => {
    assert.deepEqual([...await tx`select private.refresh_event_types() as n`], [{ n: 0 }]);
  });
});

Deno.test("CAT-03 a new column changes the schema of its table's events, and of no other", async () => {
  await undone(database().sql, async (tx) => {
    await tx`alter table public.apps add colour text check (colour in ('red', 'blue'))`;
    await tx`select private.refresh_event_types()`;
    const changed = await tx`
      select name from public.event_types where xmin::text = (pg_current_xact_id()::xid)::text order by 1`;
    assert.deepEqual(changed.map(({ name }) => name), [
      "app.created",
      "app.deleted",
      "app.updated",
    ]);
    const [row] = await tx`
      select schema #> '{$defs,columns,properties,colour}' as colour from public.event_types where name = 'app.created'`;
    assert.deepEqual(row!.colour, { type: ["string", "null"], enum: ["red", "blue", null] });
    await tx`update public.apps set colour = 'red'`; // valid by what was refreshed: the helper looks
  });
});

Deno.test("CAT-04 every governed table has its three types", async () => {
  const missing = await database().sql`
    select kind || verb as name
      from (select distinct split_part(encode(tgargs, 'escape'), '\\000', 1) as kind from pg_trigger
             where tgfoid = 'private.tg_record_change'::regproc and tgparentid = 0) k,
        unnest(array['.created', '.updated', '.deleted']) verb
    except select name from public.event_types`;
  assert.deepEqual([...missing], []);
});

Deno.test("CAT-05 what is asked of an identity house can be subscribed to", async () => {
  const names = (await types()).map(({ name }) => name);
  const asked = [
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "created",
    "updated",
    "deactivated",
    "removed",
  ]
    .concat("email_verified", "password_changed", "factor_added", "factor_removed");
  assert.deepEqual(asked.filter((verb) => !names.includes(`user.${verb}`)), []);
});

Deno.test("CAT-06 changes of tables, made and unmade, are as their schemas say", async () => {
  await as(database().sql, "alice", async (tx) => {
    await tx`update public.apps set name = 'till', enabled = false where id = ${apps.A.id}`;
    await tx`insert into public.tenant_domains (tenant_id, name) values (${tenants.A}, 'a.example')`;
    await tx`delete from public.tenant_domains where tenant_id = ${tenants.A}`;
    await tx`insert into public.providers (tenant_id, name, kind) values (${tenants.A}, 'directory', 'ldap')`;
  });
  await undone(database().sql, async (tx) => {
    await tx`update public.users set email = 'bob@a.example', state = 'locked', tokens_valid_after = now() where id = ${people.bob.id}`;
    await tx`update public.tenants set admin_email = 'b@a.example', admin_given_name = 'B', admin_family_name = 'A' where id = ${tenants.A}`;
    await tx`delete from public.users where id = ${people.visitor.id}`;
    await tx`insert into public.settings (key, value) values ('matrix', '0')`;
  });
});

Deno.test("CAT-07 an event of no known type, or with data that its schema refuses, is found", async () => {
  const planted = async (
    type: string,
    data: object,
    target: object[] = [{ kind: "app", id: "1" }],
  ) => {
    let found: string[] = [];
    const undo = new Error("undo");
    await database().sql.begin(async (tx) => {
      await tx`select private.record_event(${tenants.A}, ${type}, ${tx.json(target as never)}, ${
        tx.json(data as never)
      })`;
      found = await catalogueFaults(tx, { ofTransaction: true });
      throw undo;
    }).catch((error) => assert.equal(error, undo));
    return found.join();
  };
  assert.match(await planted("app.exploded", {}), /^app\.exploded is not in the catalogue$/);
  assert.match(
    await planted("app.updated", { before: {}, after: {} }),
    /must NOT have fewer than 1/,
  );
  assert.match(
    await planted("user.signed_out", { session_id: "1", client_id: 2 }),
    /must be string/,
  );
  assert.match(await planted("app.secret_rotated", { secret: "x" }), /additional properties/);
  assert.equal(await planted("app.secret_rotated", {}), "");
  assert.match(await planted("audit.dropped", { month: 1 }, []), /additional properties/);
  assert.match(await planted("audit.lost", {}, []), /^audit\.lost is not in the catalogue$/);
  assert.equal(await planted("test.made_up", {}, []), "");
  assert.equal(await planted("app.updated", { n: 1 }, [{ kind: "test", id: "1" }]), "");
});

Deno.test("CAT-08 docs/events.md is what the catalogue says (else: deno task docs)", async () => {
  const page = eventsPage(await readEventTypes(database().sql));
  assert.equal(Deno.readTextFileSync(eventsFile), page);
});
