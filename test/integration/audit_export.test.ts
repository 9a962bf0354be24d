// An export from the asking to the file in an auditor's hand, and sinks made over HTTP: the function, the jobs and the database are real.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { openText } from "../../functions/_shared/secrets.ts";
import { HttpSecret } from "../../functions/_shared/sinks/http.ts";
import { sinkSecretPlace } from "../../functions/_shared/sinks/secret.ts";
import { writeAuditKey } from "../../scripts/audit_key.ts";
import { type Actor, as, platform, refusal, tenants } from "../support/actors.ts";
import { root } from "../support/paths.ts";
import { arrange, receive } from "./functions_support.ts";

Deno.test("an export of the log is asked for, written, fetched and verified", async (t) => {
  const arranged = await arrange();
  const { sql } = arranged.database;
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-export-" });
  const at = (name: string) => join(dir, name);
  await writeAuditKey(at("key"));
  const more = { GATEHOUSE_AUDIT_DIR: at("audit"), GATEHOUSE_AUDIT_KEY_FILE: at("key") };
  for (const [name, value] of Object.entries(more)) Deno.env.set(name, value);
  const { app } = await import("../../functions/audit/app.ts");
  const { closeDatabase } = await import("../../functions/_shared/db.ts");
  const { door } = await import("../../functions/_shared/outbound.ts");
  const { default: seal } = await import("../../functions/_worker/tasks/audit__seal.ts");
  const { default: sequence } = await import("../../functions/_worker/tasks/audit__sequence.ts");
  const { default: writeExport } = await import("../../functions/_worker/tasks/audit__export.ts");
  const { default: expire } = await import(
    "../../functions/_worker/tasks/audit_exports__expire.ts"
  );
  const { default: fanOut } = await import("../../functions/_worker/tasks/audit__fan_out.ts");

  const context = {
    sql: arranged.database.connect("gatehouse_worker"),
    now: () => new Date(),
    holder: "test",
    stopping: new AbortController().signal,
  };
  const step = (name: string, run: () => Promise<void>) => t.step(name, run);
  /** As PostgREST, and it stays. */
  async function ask(actor: Actor, tenantId: string, more: Record<string, string> = {}) {
    let row: Record<string, string> | undefined;
    await as(sql, actor, async (tx) => {
      [row] = await tx`
        select * from public.request_audit_export(${tenantId}, ${
        more.since ?? null
      }::text::timestamptz,
          ${more.until ?? null}::text::timestamptz, ${more.format ?? "jsonl"})`;
    });
    // `as` takes all back: the same row once more, as the request would have left it.
    const { id, format, requested_by, created_at } = row as never as Row;
    await sql`
      insert into audit_exports (tenant_id, id, format, since_at, until_at, requested_by, created_at)
      values (${tenantId}, ${id}, ${format}, ${more.since ?? null}::text::timestamptz,
        ${more.until ?? null}::text::timestamptz, ${
      sql.json(requested_by as never)
    }, ${created_at})`;
    return { tenantId, id };
  }
  interface Row {
    id: string;
    format: string;
    created_at: Date;
    requested_by: unknown;
  }
  const state = async ({ id }: { id: string }) =>
    (await sql`select * from audit_exports where id = ${id}`)[0]!;
  const sealed = async () => {
    await sequence({}, context);
    await seal({}, context);
  };
  const fetched = async (id: string, actor: Actor, headers = {}) =>
    await app.request(`/audit/exports/${id}`, {
      headers: { authorization: `Bearer ${await arranged.token(actor)}`, ...headers },
    });
  const slugOf = async (response: Response) =>
    (await response.json() as { type: string }).type.split(":").pop();

  try {
    await sql`
      select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', jsonb_build_object('n', n), null, null,
          '{"address": "198.51.100.7", "user_agent": "=cmd"}')
        from generate_series(1, 2500) n`;
    await sql`select private.record_event(${tenants.E}, 'app.updated', '[{"kind":"test"}]', '{}')`;
    let asked!: { tenantId: string; id: string };

    await step(
      "it waits for the seal, then holds every event up to the asking, its progress told",
      async () => {
        asked = await ask("audrey", tenants.A);
        await writeExport(asked, context);
        const waiting = await state(asked);
        assert.equal(waiting.state, "running");
        assert.equal(waiting.size_bytes, null);
        const again = await sql`
        select run_at > now() as later from graphile_worker.jobs where key = ${
          "audit__export:" + asked.id
        }`;
        assert.deepEqual(again.map(({ later }) => later), [true], "it comes back by itself");
        await sealed();
        await writeExport(asked, context);
        const ready = await state(asked);
        assert.equal(ready.state, "ready");
        assert.deepEqual(ready.requested_by, {
          kind: "user",
          id: (await sql`select id from users where login_name = 'audrey'`)[0]!.id,
        });
        const [{ n }] = await sql<[{ n: string }]>`
        select count(*) as n from audit_events
         where tenant_id = ${tenants.A} and recorded_at <= ${ready.created_at}`;
        assert.ok(Number(ready.records_done) >= Number(n), `${ready.records_done} of ${n}`);
      },
    );

    await step(
      "who reads the log fetches it; what came is what was written, and it is on record",
      async () => {
        const response = await fetched(asked.id, "audrey");
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("content-type"), "application/jsonl");
        assert.match(response.headers.get("content-disposition")!, /^attachment;/);
        const bytes = new Uint8Array(await response.arrayBuffer());
        const { size_bytes, sha256 } = await state(asked);
        assert.equal(bytes.byteLength, Number(size_bytes));
        const hash = createHash("sha256").update(bytes);
        assert.equal(
          response.headers.get("repr-digest"),
          `sha-256=:${hash.copy().digest("base64")}:`,
        );
        assert.equal(hash.digest("hex"), sha256);
        await Deno.writeFile(at("export.jsonl"), bytes);
        const [event] = await sql`
        select actor, data from audit_events where type = 'audit_export.downloaded'`;
        assert.equal(event!.data.sha256, sha256);
      },
    );

    await step(
      "it verifies offline with the public key and a checkpoint that was known; altered it does not",
      async () => {
        const text = await Deno.readTextFile(at("export.jsonl"));
        const { size } = JSON.parse(text.slice(0, text.indexOf("\n")));
        const notes = await sql<{ note: string }[]>`
        select note from private.audit_checkpoints where tenant_id = ${tenants.A} and size <= ${size}`;
        await Deno.writeTextFile(at("known"), notes.map(({ note }) => note).join("\n"));
        const verify = async (file: string) => {
          const { code, stdout } = await new Deno.Command(Deno.execPath(), {
            args: [
              "run",
              "-A",
              "--no-check",
              "--cached-only",
              "scripts/audit_verify.ts",
              at(file),
              "--key",
              at("key.pub"),
              "--checkpoint",
              at("known"),
              "--signatures",
            ],
            cwd: root,
            env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
          }).output();
          return `${code} ${new TextDecoder().decode(stdout)}`;
        };
        assert.match(await verify("export.jsonl"), /^0 [^]*all is as it was sealed/);
        assert.ok(text.includes("198.51.100.7"), "personal values that are still there come along");
        await Deno.writeTextFile(at("bad.jsonl"), text.replace("198.51.100.7", "198.51.100.8"));
        assert.match(await verify("bad.jsonl"), /^1 [^]*personal_altered/);
      },
    );

    await step("csv is flat, and a part of the log is the part that was asked for", async () => {
      const [{ since, until }] = await sql<[{ since: string; until: string }]>`
        select min(recorded_at)::text as since, max(recorded_at)::text as until from (
          select recorded_at from audit_events
           where tenant_id = ${tenants.A} and type = 'app.updated' order by recorded_at limit 100) e`;
      const part = await ask("alice", tenants.A, { since, until, format: "csv" });
      await sequence({}, context);
      await writeExport(part, context);
      const lines = (await (await fetched(part.id, "alice")).text()).trimEnd().split("\r\n");
      assert.ok(lines.length - 1 >= 98 && lines.length - 1 <= 100, `${lines.length} lines`);
      assert.ok(lines.slice(1).every((line) => line.includes(`"198.51.100.7","'=cmd"`)));
      assert.equal(Number((await state(part)).records_done), lines.length - 1);
    });

    await step("strangers, members and other tenants learn nothing of it", async () => {
      for (const actor of ["eve", "bob", "mallory"] as const) {
        const response = await fetched(asked.id, actor);
        assert.equal(response.status, 404, actor);
        assert.equal(await slugOf(response), "export_not_found");
        await assert.rejects(
          as(sql, actor, (tx) => tx`select * from public.request_audit_export(${tenants.A})`),
          refusal("not_allowed", 403),
        );
        await as(sql, actor, async (tx) => {
          assert.equal(
            (await tx`select from public.audit_exports where tenant_id = ${tenants.A}`).length,
            0,
          );
        });
      }
      assert.equal((await app.request(`/audit/exports/${asked.id}`)).status, 401);
      assert.equal((await fetched("../../etc/passwd", "alice")).status, 404);
    });

    await step("what is not ready is told apart, a fourth at once is refused", async () => {
      const pending = await ask("alice", tenants.A);
      assert.equal(await slugOf(await fetched(pending.id, "alice")), "export_not_ready");
      await ask("alice", tenants.A);
      await ask("alice", tenants.A);
      await assert.rejects(ask("alice", tenants.A), refusal("exports_too_many", 409));
      await sql`delete from audit_exports where state = 'pending'`;
    });

    await step(
      "a worker that died over it leaves nothing: the next one begins anew and the file is whole",
      async () => {
        const died = await ask("alice", tenants.A, { format: "csv" });
        await sql`update audit_exports set state = 'running', records_done = 1000 where id = ${died.id}`;
        await Deno.writeTextFile(at(`audit/exports/${died.id}.csv.dead.part`), "half");
        await sequence({}, context);
        await writeExport(died, context);
        const { state: now, size_bytes } = await state(died);
        assert.equal(now, "ready");
        assert.equal(
          (await Deno.stat(at(`audit/exports/${died.id}.csv`))).size,
          Number(size_bytes),
        );
      },
    );

    await step(
      "where the directory cannot be written the row says so, and the queue tries again",
      async () => {
        const failing = await ask("alice", tenants.A, { format: "csv" });
        await sequence({}, context);
        await Deno.rename(at("audit/exports"), at("audit/moved"));
        await Deno.writeTextFile(at("audit/exports"), "in the way");
        await assert.rejects(writeExport(failing, context), {
          name: /^NotADirectory|^AlreadyExists/,
        });
        assert.equal((await state(failing)).last_error.slug, "export_failed");
        for (let n = 0; n < 4; n++) await writeExport(failing, context).catch(() => {});
        assert.equal((await state(failing)).state, "failed", "at the fifth time");
        await writeExport(failing, context); // a late job finds nothing to do
        await Deno.remove(at("audit/exports"));
        await Deno.rename(at("audit/moved"), at("audit/exports"));
      },
    );

    await step("after its week it is expired and its file is gone, and no other", async () => {
      await sql`update audit_exports set expires_at = now() where id = ${asked.id}`;
      await expire({}, context);
      assert.equal((await state(asked)).state, "expired");
      assert.equal(await slugOf(await fetched(asked.id, "audrey")), "export_not_ready");
      const left = [...Deno.readDirSync(at("audit/exports"))].map(({ name }) => name);
      assert.ok(!left.some((name) => name.startsWith(asked.id)));
      const ready = await sql<{ id: string }[]>`select id from audit_exports where state = 'ready'`;
      assert.ok(ready.length > 0 && ready.every(({ id }) => left.includes(`${id}.csv`)));
    });

    await step(
      "an administrator makes a sink: the secret is shown once, and what it gets is signed with it",
      async () => {
        await using receiver = receive();
        const make = async (actor: Actor, body: Record<string, unknown>) =>
          await app.request("/audit/sinks", {
            method: "POST",
            headers: {
              authorization: `Bearer ${await arranged.token(actor)}`,
              "content-type": "application/json",
            },
            body: JSON.stringify({ tenantId: tenants.A, name: "siem", ...body }),
          });
        const http = { kind: "http", settings: { url: receiver.url } };
        const made = await make("alice", { ...http, headers: { authorization: "Bearer theirs" } });
        assert.equal(made.status, 201);
        const sink = await made.json() as { id: string; signingSecret: string };
        const [kept] =
          await sql`select * from private.audit_sink_secrets where sink_id = ${sink.id}`;
        const opened = await openText(
          { keyId: kept!.key_id, ciphertext: new Uint8Array(kept!.ciphertext) },
          sinkSecretPlace(tenants.A, sink.id),
        );
        assert.equal(HttpSecret.parse(JSON.parse(opened)).signingSecret, sink.signingSecret);
        await sql`select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', '{"n": 1}')`;
        await sequence({}, context);
        await fanOut({ tenantId: tenants.A, id: sink.id }, context);
        const [first] = receiver.received;
        new Webhook(sink.signingSecret).verify(first!.body, first!.headers);
        assert.equal(first!.headers.authorization, "Bearer theirs");
        const { data: { checkpoints } } = JSON.parse(first!.body);
        const [newest] = await sql`
        select note from private.audit_checkpoints
         where tenant_id = ${tenants.A} order by size desc limit 1`;
        assert.deepEqual(
          checkpoints.map((one: { checkpoint: string }) => one.checkpoint),
          [newest!.note],
          "the signed note leaves the database here as well",
        );

        assert.equal(await slugOf(await make("alice", http)), "sink_name_taken");
        const file = { kind: "file", settings: {}, name: "file" };
        assert.equal(await slugOf(await make("alice", file)), "sink_file_of_tenant");
        assert.equal((await make("pat", { ...file, tenantId: platform })).status, 201);
        assert.equal(
          await slugOf(await make("alice", { ...http, tenantId: platform })),
          "not_allowed",
        );
        for (const actor of ["bob", "audrey", "eve"] as const) {
          assert.equal(await slugOf(await make(actor, { ...http, name: actor })), "not_allowed");
        }
        const refused: [Record<string, unknown>, string][] = [
          [{ ...http, settings: { url: "http://169.254.169.254/" } }, "address_refused"],
          [{ ...http, settings: { url: "ftp://x.example/" } }, "url_refused"],
          [{ ...http, headers: { "webhook-signature": "v1,x" } }, "invalid_request"],
          [{ ...http, headers: { "x-a": "b\r\nevil: 1" } }, "invalid_request"],
          [
            { kind: "syslog", settings: { host: "10.0.0.1", port: 6514, transport: "tls" } },
            "address_refused",
          ],
          [
            { kind: "syslog", settings: { host: "127.0.0.1", port: 25, transport: "tcp" } },
            "url_refused",
          ],
          [
            { kind: "syslog", settings: { host: "x.example", port: 514, transport: "udp" } },
            "invalid_request",
          ],
          [{ kind: "file", settings: { path: "/etc/passwd" } }, "invalid_request"],
        ];
        for (const [body, slug] of refused) {
          assert.equal(
            await slugOf(await make("alice", { name: "x", ...body })),
            slug,
            JSON.stringify(body),
          );
        }
      },
    );
  } finally {
    await closeDatabase();
    (await door()).close();
    for (const name of Object.keys(more)) Deno.env.delete(name);
    await arranged.dispose();
    await Deno.remove(dir, { recursive: true });
  }
});
