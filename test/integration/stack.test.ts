// The life of a stack, as whoever types `npm start` lives it: one directory, started, killed, started again, emptied.
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { readPublicKeys } from "../../functions/_shared/audit/keys.ts";
import { auditOrigin } from "../../functions/_shared/audit/note.ts";
import type { Facts } from "../../scripts/stack/stack.ts";
import { eventually } from "../support/eventually.ts";
import {
  commandLine,
  descendants,
  running,
  runStart,
  startStack,
  type TestStack,
} from "../support/stack.ts";

Deno.test("the life of a stack", async (t) => {
  const dir = join(await Deno.makeTempDir(), "stack");
  let stack: TestStack = await startStack([], { dir });
  const first: Facts = stack.facts;

  await t.step("everything that stack.json names answers", async () => {
    const { demo, ...addresses } = first;
    const expected = [
      ...["apiUrl", "restUrl", "functionsUrl", "issuer", "portalUrl", "storefrontUrl"],
      ...["loginUrl", "webhookSinkUrl", "mailUrl", "providersUrl", "dbUrl", "anonKey"],
    ];
    assert.deepEqual(Object.keys(addresses).sort(), expected.sort());
    assert.deepEqual(Object.keys(demo.tenant ?? {}).sort(), [
      ...["admin", "clientId", "id", "organizationId", "slug", "user"],
    ]);
    for (
      const url of [
        `${first.restUrl}/`,
        `${first.functionsUrl}/session/config`,
        `${first.issuer}/.well-known/openid-configuration`,
        first.portalUrl,
        first.storefrontUrl,
        `${first.webhookSinkUrl}/requests`,
        first.mailUrl,
        `${first.providersUrl}/oidc/.well-known/openid-configuration`,
      ]
    ) {
      const response = await fetch(url);
      await response.body?.cancel();
      assert.equal(response.status, 200, url);
    }
  });

  await t.step("secrets are readable by their owner only", async () => {
    assert.equal(mode(join(dir, "stack.json")), 0o600);
    for (const path of ["", "credentials", "credentials/zitadel", "logs", "postgres", "audit"]) {
      assert.equal(mode(join(dir, path)), 0o700, path);
    }
    const files = [
      ...["install.json", "bootstrap.json", "secrets-key.json", "signing-key.json"],
      "mail-key.json",
      "played.json",
      "audit-key.json",
      ...["postgrest.conf", "demo.json"],
      ...["provisioner.pat", "login-client.pat", "event-reader.pat"].map((pat) => `zitadel/${pat}`),
    ];
    for (const file of files) assert.equal(mode(join(dir, "credentials", file)), 0o600, file);
    assert.deepEqual(await secretsOnCommandLines(stack, dir), []);
  });

  await t.step("the log is sealed, and its checkpoints are outside the database", async () => {
    const key = readPublicKeys(
      await Deno.readTextFile(join(dir, "credentials/audit-key.json.pub")),
    );
    const outside = checkpointFile(join(dir, "audit/checkpoints"));
    const origin = auditOrigin(first.apiUrl, first.demo.tenant!.id);
    await eventually(
      "a checkpoint of the demo's tenant",
      async () => (await outside.newest(key)).get(origin),
    );
  });

  await t.step("a second copy is refused, and the first goes on", async () => {
    const { code, stderr } = await runStart(["--dir", dir]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`A stack runs in .* already \\(process ${stack.pid}\\)`));
    const response = await fetch(`${first.restUrl}/`);
    await response.body?.cancel();
    assert.equal(response.status, 200);
  });

  await t.step("a service that dies is back by itself", async () => {
    for (const program of ["postgrest", "native/bin/postgres"]) {
      const [pid] = await processesOf(stack.pid, program);
      Deno.kill(pid!, "SIGKILL");
      await eventually(`${program} again`, async () => {
        const [now] = await processesOf(stack.pid, program);
        const response = await fetch(`${first.restUrl}/`).catch(() => undefined);
        await response?.body?.cancel();
        return now !== undefined && now !== pid && response?.status === 200;
      }, 60_000);
    }
  });

  await t.step("Ctrl-C leaves no process, exit 0 and no stack.json", async () => {
    await query(first.dbUrl, (sql) => sql`create table public.kept as select 42 as answer`);
    const below = await descendants(stack.pid);
    assert.ok(below.length >= 10, `${below.length} processes`);
    const { code, stderr, stdout } = await stack.stop("SIGINT");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Portal +http/);
    assert.deepEqual(await running(below), []);
    await assert.rejects(Deno.stat(join(dir, "stack.json")), Deno.errors.NotFound);
  });

  await t.step("the next start has the same data, addresses and credentials", async () => {
    stack = await startStack([], { dir });
    const { anonKey: _, ...facts } = stack.facts; // signed anew
    const { anonKey: __, ...before } = first;
    assert.deepEqual(facts, before);
    const rows = await query(first.dbUrl, (sql) => sql`select answer from public.kept`);
    assert.deepEqual([...rows], [{ answer: 42 }]);
    const [tenant] = await query(
      first.dbUrl,
      (sql) => sql`select count(*)::int as count from public.tenants where slug = 'demo'`,
    );
    assert.equal(tenant?.count, 1);
  });

  await t.step("killed with -9 its processes end too, and it starts again", async () => {
    const below = await descendants(stack.pid);
    await stack.stop("SIGKILL");
    const allEnded = async () => (await running(below)).length === 0;
    await eventually("the end of every process", allEnded, 60_000);
    stack = await startStack(["--no-demo"], { dir });
    assert.equal(stack.facts.demo.tenant, undefined);
    const rows = await query(first.dbUrl, (sql) => sql`select answer from public.kept`);
    assert.equal(rows.length, 1);
    await stack.stop("SIGTERM");
  });

  await t.step("--fresh starts from an empty database with new credentials", async () => {
    stack = await startStack(["--fresh", "--no-demo", "--base-path", "/acme-prefix"], { dir });
    assert.match(stack.facts.apiUrl, /\/acme-prefix$/);
    assert.doesNotMatch(stack.facts.issuer, /acme-prefix/);
    assert.notEqual(stack.facts.demo.admin.password, first.demo.admin.password);
    const [row] = await query(stack.facts.dbUrl, (sql) => sql`select to_regclass('public.kept')`);
    assert.equal(row?.to_regclass, null);
  });

  await stack.stop();
  await Deno.remove(dirname(dir), { recursive: true });
});

function mode(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}

async function processesOf(pid: number, program: string): Promise<number[]> {
  const all = (await descendants(pid)).map(({ pid }) => pid);
  const lines = await Promise.all(all.map(commandLine));
  return all.filter((_, i) => lines[i]!.split(" ")[0]!.endsWith(program));
}

/** Other users of the machine see command lines. */
async function secretsOnCommandLines({ pid, facts }: TestStack, dir: string): Promise<string[]> {
  const installed = JSON.parse(Deno.readTextFileSync(join(dir, "credentials/install.json")));
  const secrets = [
    installed.superuserPassword,
    ...Object.values<string>(installed.passwords),
    facts.demo.admin.password,
  ];
  const lines = await Promise.all((await descendants(pid)).map(({ pid }) => commandLine(pid)));
  return lines.filter((line) => secrets.some((secret) => line.includes(secret)));
}

async function query(
  url: string,
  ask: (sql: postgres.Sql) => postgres.PendingQuery<postgres.Row[]>,
): Promise<postgres.RowList<postgres.Row[]>> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await ask(sql);
  } finally {
    await sql.end();
  }
}
