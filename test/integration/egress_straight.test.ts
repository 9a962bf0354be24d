/**
 * What goes past the proxy: with the list in a real nftables every directory is reached, by ZITADEL and by our test of the connection; with
 * any line left out exactly that directory is not, by either. The rest of the list: egress_closed_loop.test.ts.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { renderNftables } from "../../scripts/egress/nftables.ts";
import { linesOf, parseRows, type Row } from "../../scripts/egress/rows.ts";
import { hasSlapd } from "../../scripts/stack/providers/directory.ts";
import { people } from "../../scripts/stack/providers/people.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";
import { directorySettings } from "../support/providers.ts";
import type { Flow } from "./egress_flow.ts";
import { Net, obstacle } from "./egress_support.ts";

const directories = [["one.corp.test", 636], ["two.corp.test", 1636]] as const;
const hosts = [...directories.map(([name]) => name), "elsewhere.corp.test"];
const why = await hasSlapd() ? await obstacle() : "slapd is missing";

async function configured({ sql }: TestDatabase): Promise<Row[]> {
  const rows = await Promise.all(directories.map(([name, port]) =>
    sql`
    select caller, scheme, host, port, ${`provider ${name} of acme`} as reason
      from private.provider_hosts('ldap', ${
      sql.json({ servers: [`ldaps://${name}:${port}`] })
    }, '{}')`
  ));
  return parseRows(rows.flat());
}

Deno.test({
  name: "directories are reached past the proxy where the list has their line, and not without it",
  ignore: why !== null && Deno.env.get("CI") === undefined,
  async fn(t) {
    assert.equal(why, null, `The closed loop cannot run: ${why}`);
    const database = await createDatabase();
    const rows = await configured(database);
    await database.drop();
    const lines = linesOf(rows);
    await using net = await Net.open();
    const address = await net.straight(hosts);
    const file = join(net.dir, "directories.json");
    const world = JSON.stringify([...directories, ["elsewhere.corp.test", 2636]]);
    await net.startWorld(join(root, "test/integration/egress_directories.ts"), {
      ...{ LISTEN: address, FACTS: file, DIRECTORIES: world },
    });
    const facts = JSON.parse(await Deno.readTextFile(file));
    const { key: userName, password } = people[0]!;

    /** Both ways to a directory: how ZITADEL asks it, and how we test it. */
    const flowsTo = (name: string, port: number): Flow[] => {
      const { bindPassword: secret, ...how } = facts[name];
      const settings = directorySettings({ ldapsUrl: `ldaps://${name}:${port}`, ...how });
      const { attributes: _, ca, timeoutSeconds, ...fields } = settings;
      const idp = { ...fields, rootCa: btoa(ca!), timeout: `${timeoutSeconds}s` };
      const of = `provider ${name} of acme`;
      return [
        {
          id: `zitadel: ${of}`,
          kind: "directory",
          fields: idp,
          secret,
          person: { userName, password },
        },
        {
          id: `functions: ${of}`,
          kind: "test",
          provider: "ldap",
          settings: { ...settings },
          secret,
        },
      ];
    };
    const take = async (flows: Flow[]): Promise<string[]> => {
      const text = await net.run(join(root, "test/integration/egress_flow.ts"), [], {
        FLOWS: JSON.stringify(flows),
        GATEHOUSE_PROFILE: "embedded",
        GATEHOUSE_OUTBOUND_ALLOW: `${address}/32`,
        LOG_LEVEL: "error",
      });
      const outcome = JSON.parse(text.trim().split("\n").at(-1)!) as Record<string, string | null>;
      return Object.keys(outcome).filter((id) => outcome[id] !== null).toSorted();
    };
    const rules = (some: typeof lines) => renderNftables(some, () => Promise.resolve([address]));
    const flows = directories.flatMap(([name, port]) => flowsTo(name, port));
    assert.deepEqual(
      flows.map(({ id }) => id).toSorted(),
      lines.flatMap(({ reasons }) => reasons).toSorted(),
      "each row is taken",
    );

    await t.step("with the whole list they are reached, and what is not on it is not", async () => {
      await net.nftables(await rules(lines));
      assert.deepEqual(await take(flows), []);
      const elsewhere = flowsTo("elsewhere.corp.test", 2636);
      assert.deepEqual(await take(elsewhere), elsewhere.map(({ id }) => id).toSorted());
    });

    for (const line of lines) {
      await t.step(`without ${line.host}:${line.port}`, async () => {
        await net.nftables(await rules(lines.filter((other) => other !== line)));
        assert.deepEqual(await take(flows), line.reasons.toSorted());
      });
    }
  },
});
