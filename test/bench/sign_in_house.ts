// What a bench of signing in needs: a durable Postgres, the double of ZITADEL and the widget function as processes of their own, and a tenant with many people.
import { join } from "node:path";
import postgres from "postgres";
import { buildBundles } from "../../scripts/build/bundle.ts";
import { type Child, spawn, type Spec } from "../../scripts/stack/child.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { answers, serving } from "../../scripts/stack/serving.ts";
import { deno } from "../integration/provision_support.ts";
import { publicUrl, SignInHouse, type Tenant } from "../integration/widget_support.ts";
import type { TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";
import { benchDatabase } from "./support.ts";

export interface Person {
  id: string;
  password: string;
  loginName: string;
  /** Where they sit: one each, as the limits of an address are those of an office. */
  address: string;
}

export interface Signing extends AsyncDisposable {
  house: SignInHouse;
  tenant: Tenant;
  people: Person[];
  /** The widget function, as functions/main serves it. */
  url: string;
  /** Processor that it has used so far, in ms. */
  processorMs(): Promise<number>;
}

export async function openSigning(count: number): Promise<Signing> {
  await buildBundles(root);
  Deno.env.set("LOG_LEVEL", "error");
  const bench = await benchDatabase();
  await bench.sql.unsafe("create database zitadel");
  const ours = shaped("gatehouse", bench.url);
  const doubles = shaped("zitadel", () => {
    const url = new URL(bench.url());
    url.pathname = "/zitadel";
    return url.href;
  });
  const house = await SignInHouse.open({ databases: [ours, doubles] });
  const tenant = await house.tenant("acme");
  const people: Person[] = [];
  for (let n = 0; n < count; n++) {
    const { id, password, loginName } = await house.person(tenant, `person-${n}`);
    await house.zitadel.skipMfaInit(id); // as whoever said once: later
    people.push({ id, password, loginName, address: `198.51.100.${n + 1}` });
  }
  const { child, url } = await startWidget(house, ours.url("gatehouse_functions"), bench.dir);
  return {
    house,
    tenant,
    people,
    url,
    async processorMs() {
      const stat = await Deno.readTextFile(`/proc/${child.pid}/stat`);
      // proc(5): utime and stime are the 12th and 13th field behind the name, in hundredths of a second.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    async [Symbol.asyncDispose]() {
      await child.stop();
      await house[Symbol.asyncDispose]();
      await bench[Symbol.asyncDispose]();
    },
  };
}

/** As an operator starts it: a pool of ten connections, a log line a request. */
async function startWidget(
  { house }: SignInHouse,
  dbUrl: string,
  dir: string,
): Promise<{ child: Child; url: string }> {
  const port = findFreeRow(1);
  const url = `http://127.0.0.1:${port}`;
  const spec: Spec = {
    name: "widget",
    command: [deno, "run", "-A", "--cached-only", "functions/main/index.ts"],
    cwd: root,
    env: {
      GATEHOUSE_PROFILE: "embedded",
      GATEHOUSE_FUNCTIONS: "widget",
      GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
      GATEHOUSE_PUBLIC_URL: publicUrl,
      GATEHOUSE_DB_URL: dbUrl,
      ZITADEL_ISSUER: house.issuer,
      ZITADEL_LOGIN_CLIENT_TOKEN_FILE: join(house.dir, "login-client.pat"),
    },
    logFile: join(dir, "widget.log"),
    ready: (_, signal) => answers(`${url}/ready`, signal),
  };
  const child = await spawn(spec);
  await serving(child, spec);
  return { child, url: `${url}/functions/v1/widget` };
}

/** A database of the bench's cluster as a house of the tests takes it; it goes with the cluster. */
function shaped(name: string, url: (role?: string) => string): TestDatabase {
  const pools: postgres.Sql[] = [];
  const connect: TestDatabase["connect"] = (role, { max = 4 } = {}) => {
    const sql = postgres(url(role), { max, onnotice: () => {} });
    pools.push(sql);
    return sql;
  };
  const drop = async () => {
    await Promise.all(pools.map((sql) => sql.end({ timeout: 1 })));
  };
  return { name, url, connect, drop, sql: connect(), [Symbol.asyncDispose]: drop };
}
