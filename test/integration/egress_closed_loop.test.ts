/**
 * The egress list is right when it is enough and no line of it is too many: through a real Squid that knows it whole every flow passes;
 * with any line left out exactly the flows fail that it names. What speaks HTTP or CONNECT goes through the proxy; LDAP does not:
 * egress_straight.test.ts.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { linesOf, parseRows, type Row } from "../../scripts/egress/rows.ts";
import { renderSquid } from "../../scripts/egress/text.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";
import type { Flow } from "./egress_flow.ts";
import { Net, obstacle } from "./egress_support.ts";

const hosts = ["hooks", "lake", "siem", "sso", "keys", "zitadel", "elsewhere"]
  .map((name) => `${name}.corp.test`);
const why = await obstacle();

/** The configuration; Postgres stays where it is, only the list travels. */
async function configured({ sql }: TestDatabase): Promise<Row[]> {
  const [{ id }] = await sql<[{ id: string }]>`
    insert into public.tenants (slug, name) values ('acme', 'Acme') returning id`;
  await sql`select private.put_issuer('http://zitadel.corp.test:8105', 'zitadel', 'p', 'u')`;
  await sql`insert into public.webhook_endpoints (tenant_id, url, event_types)
    values (${id}, 'http://hooks.corp.test:8101/in', '{tenant.*}')`;
  const siem = {
    host: "siem.corp.test",
    port: 601,
    transport: "tcp",
    facility: 10,
    enterpriseId: 32473,
    confirm: false,
  };
  await sql`insert into public.audit_sinks (tenant_id, name, kind, settings) values
    (${id}, 'lake', 'http', '{"url": "http://lake.corp.test:8102/"}'),
    (${id}, 'siem', 'syslog', ${sql.json(siem)})`;
  return parseRows([
    ...await sql`select * from private.egress_addresses()`,
    // A row as PostgREST would show it: http is for loopback in the table itself.
    ...await sql`
      select caller, scheme, host, port, 'provider sso of acme' as reason
        from private.provider_hosts('oidc', '{"issuer": "http://sso.corp.test:8103"}',
          array['http://keys.corp.test:8104'])`,
  ]);
}

/** How each row's flow is taken; a row that nobody knows how to take is a fault of this test. */
function flowOf({ caller, reason, host, port }: Row): Flow {
  const id = `${caller}: ${reason}`;
  const issuer = "http://sso.corp.test:8103";
  if (reason === "zitadel") return { id, kind: "zitadel", issuer: `http://${host}:${port}` };
  if (reason.startsWith("provider")) {
    return caller === "zitadel"
      ? { id, kind: "discover", issuer, keys: "http://keys.corp.test:8104/keys" }
      : { id, kind: "test", provider: "oidc", settings: { issuer, clientId: "x" } };
  }
  if (reason.includes("siem")) return { id, kind: "connect", host, port };
  return { id, kind: "send", url: `http://${host}:${port}/` };
}

Deno.test({
  name:
    "the egress list lets every flow through, and each line is needed by exactly the flows it names",
  ignore: why !== null && Deno.env.get("CI") === undefined,
  async fn(t) {
    assert.equal(why, null, `The closed loop cannot run: ${why}`);
    const database = await createDatabase();
    const rows = (await configured(database)).filter(({ caller }) => caller !== "browser");
    await database.drop();
    const flows = [
      ...new Map(rows.map((row) => [`${row.caller}: ${row.reason}`, flowOf(row)])).values(),
    ];
    const lines = linesOf(rows);
    await using net = await Net.open();
    await net.startWorld(join(root, "test/integration/egress_world.ts"));
    const tokenFile = join(net.dir, "token");
    await Deno.writeTextFile(tokenFile, "a-token");
    const take = async (some: Flow[]): Promise<string[]> => {
      const text = await net.run(join(root, "test/integration/egress_flow.ts"), [], {
        FLOWS: JSON.stringify(some),
        TOKEN_FILE: tokenFile,
        HTTP_PROXY: net.proxyUrl,
        HTTPS_PROXY: net.proxyUrl,
        NO_PROXY: "",
        GATEHOUSE_PROFILE: "embedded",
        LOG_LEVEL: "error",
      });
      const outcome = JSON.parse(text.trim().split("\n").at(-1)!) as Record<string, string | null>;
      return Object.keys(outcome).filter((id) => outcome[id] !== null).toSorted();
    };

    await t.step(
      `with the whole list ${flows.length} flows pass, and what is not on it does not`,
      async () => {
        await net.squid(renderSquid(lines), hosts);
        assert.deepEqual(await take(flows), []);
        const elsewhere = { kind: "send" as const, url: "http://elsewhere.corp.test:8106/" };
        const otherPort = { kind: "send" as const, url: "http://hooks.corp.test:8102/" };
        assert.deepEqual(
          await take([{ id: "another host", ...elsewhere }, { id: "another port", ...otherPort }]),
          ["another host", "another port"],
        );
      },
    );

    for (const line of lines) {
      await t.step(`without ${line.host}:${line.port}`, async () => {
        await net.squid(renderSquid(lines.filter((other) => other !== line)), hosts);
        assert.deepEqual(await take(flows), line.reasons.toSorted());
      });
    }
  },
});
