// The Postgres that tests share: two throw-away clusters, since roles belong to a cluster and not to a database.
// `plain` is Postgres as it comes; `supabase` has Supabase's roles and default privileges (supabase_roles.ts).
// Started by the first test that asks, once per test process, and gone a second after that process.
import { fromFileUrl } from "./paths.ts";

export type Fixture = "plain" | "supabase";
export const fixtures: Fixture[] = ["plain", "supabase"];

/** Superusers' addresses, without a database's name. A runner may set it to share one pair among processes. */
const variable = "GATEHOUSE_TEST_PG";

export type Clusters = Record<Fixture, { superuser: string; password: string; port: number }>;

/** The clusters of this run. */
export async function clusters(): Promise<Clusters> {
  const known = Deno.env.get(variable);
  if (known) return JSON.parse(known);
  const started = await startHolder();
  Deno.env.set(variable, JSON.stringify(started)); // seen by every test module of this process
  return started;
}

/** The address of a database on a cluster, as the superuser or as a role that has the cluster's password. */
export function address(
  { superuser, password, port }: Clusters[Fixture],
  database: string,
  role = superuser,
): string {
  return `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
}

/** A process of its own holds the clusters: Deno runs each test module in a thread that ends before the next module begins. */
async function startHolder(): Promise<Clusters> {
  const holder = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", fromFileUrl("postgres_holder.ts"), String(Deno.pid)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    detached: true, // Ctrl-C reaches the tests first; the holder sees them go
  }).spawn();
  let text = "";
  for await (const chunk of holder.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.endsWith("\n")) break;
  }
  holder.unref();
  if (text === "") throw new Error("The test databases did not start; see above");
  return JSON.parse(text);
}
