// What every bench needs: a durable Postgres with the declared database, PostgREST on it, a load, and one way to print a figure.
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import postgres, { type Sql } from "postgres";
import { loadDeclared } from "../../scripts/db/declared.ts";
import { type Child, spawn } from "../../scripts/stack/child.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import {
  type Cluster,
  initPostgres,
  startPostgres,
  superuserUrl,
} from "../../scripts/stack/postgres.ts";
import { postgrestSpec, writePostgrestConfig } from "../../scripts/stack/postgrest.ts";
import { serving } from "../../scripts/stack/serving.ts";

export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What the issue asks for; absent: told, not judged. */
  goal?: { at: "least" | "most"; value: number };
  note?: string;
}

export interface BenchDatabase extends AsyncDisposable {
  sql: Sql;
  dir: string;
  url(role?: string): string;
}

const roles = ["authenticator", "gatehouse_functions", "gatehouse_provision", "gatehouse_worker"];

/** fsync on, as in production: a bench of commits without it measures nothing. */
export async function benchDatabase(): Promise<BenchDatabase> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  const password = crypto.randomUUID();
  const cluster: Cluster = {
    dataDir: join(dir, "data"),
    port: findFreeRow(1),
    password,
    logFile: join(dir, "postgres.log"),
    durable: true,
  };
  await initPostgres(cluster);
  const child = await startPostgres(cluster);
  const admin = postgres(superuserUrl(cluster), { max: 1, onnotice: () => {} });
  await admin.unsafe(`create role gatehouse_migrator login createrole password '${password}'`);
  await admin.unsafe("create database gatehouse owner gatehouse_migrator");
  const at = (role: string) => `postgres://${role}:${password}@127.0.0.1:${cluster.port}/gatehouse`;
  const owner = postgres(at("gatehouse_migrator"), { max: 1, onnotice: () => {} });
  await loadDeclared(owner);
  await owner.end();
  for (const role of roles) await admin.unsafe(`alter role ${role} password '${password}'`);
  await admin.end();
  const sql = postgres(superuserUrl(cluster, "gatehouse"), { max: 20, onnotice: () => {} });
  return {
    sql,
    dir,
    url: (role) => role ? at(role) : superuserUrl(cluster, "gatehouse"),
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await child.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

export const issuer = "https://issuer.bench.test";
export const audience = "gatehouse-project";

/** An issuer of the bench's own, known to the database; tokens as ZITADEL makes them. */
export async function benchIssuer(sql: Sql): Promise<(subject: string) => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "bench", alg: "RS256", use: "sig" };
  await sql`select private.put_issuer(${issuer}, 'zitadel', ${audience}, ${issuer + "/keys"})`;
  await sql`select private.put_verification_keys(${issuer}, ${sql.json([jwk as never])})`;
  await sql`select private.put_client(${issuer}, 'portal', 'portal', null, null)`;
  return (subject) =>
    new SignJWT({ client_id: "portal" })
      .setProtectedHeader({ alg: "RS256", kid: "bench", typ: "JWT" })
      .setIssuer(issuer).setSubject(subject).setAudience([audience]).setJti(crypto.randomUUID())
      .setIssuedAt().setExpirationTime("1h").sign(privateKey);
}

/** PostgREST as the stack runs it. */
export async function benchPostgrest(
  database: BenchDatabase,
): Promise<{ url: string; child: Child }> {
  const port = findFreeRow(2);
  const url = `http://127.0.0.1:${port}`;
  const postgrest = {
    databaseUrl: database.url("authenticator"),
    configFile: join(database.dir, "postgrest.conf"),
    port,
    adminPort: port + 1,
    logFile: join(database.dir, "postgrest.log"),
    publicUrl: url,
  };
  await writePostgrestConfig(postgrest);
  const spec = postgrestSpec(postgrest);
  const child = await spawn(spec);
  await serving(child, spec);
  return { url, child };
}

/** Requests a second that Debian's wrk gets answered with 2xx; any other answer fails the bench. */
export async function requestsPerSecond(
  url: string,
  { token, seconds = 8, connections = 16 }: {
    token: string;
    seconds?: number;
    connections?: number;
  },
): Promise<number> {
  const { success, stdout } = await new Deno.Command("wrk", {
    args: ["-t1", `-c${connections}`, `-d${seconds}s`, "-H", `Authorization: Bearer ${token}`, url],
    stdout: "piped",
  }).output().catch(() => {
    throw new Error("This bench takes wrk: apt-get install wrk");
  });
  const text = new TextDecoder().decode(stdout);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  if (!success || !rate || /Non-2xx/.test(text)) throw new Error(`wrk ${url}\n${text}`);
  return Number(rate);
}

/** Measures in turns, so that a disturbed machine disturbs both sides, and gives each side's median. */
export async function inTurns<K extends string>(
  sides: Record<K, () => Promise<number>>,
  rounds = 5,
): Promise<Record<K, number>> {
  const names = Object.keys(sides) as K[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    K,
    number[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? names.toReversed() : names) {
      measured[name].push(await sides[name]());
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(measured[name])])) as Record<
    K,
    number
  >;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
