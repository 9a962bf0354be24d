// How long until one can use it: from `npm start` on an installed checkout to ready, and from a tenant's row to an active tenant.
import postgres from "postgres";
import { startStack } from "../support/stack.ts";
import { type Figure, median } from "./support.ts";

const tenants = 9;

export async function start(): Promise<Figure[]> {
  const began = performance.now();
  await using stack = await startStack(["--no-demo", "--port", "0"]);
  const ready = (performance.now() - began) / 1_000;
  const sql = postgres(stack.facts.dbUrl, { max: 1, onnotice: () => {} });
  try {
    const times: number[] = [];
    for (let n = 0; n < tenants; n++) {
      const slug = `bench-${n}`;
      await sql`select public.create_tenant(${slug}, ${slug},
        admin => ${
        sql.json({ email: `${slug}@bench.test`, given_name: "Bea", family_name: "Bench" })
      },
        app => ${
        sql.json({ name: "Storefront", redirect_uris: ["https://storefront.bench.test/"] })
      })`;
      times.push(await secondsToActive(sql, slug));
    }
    return [
      {
        name: "npm start to ready, empty database",
        value: ready,
        unit: "s",
        goal: { at: "most", value: 60 },
      },
      {
        name: "tenant's row to active, with its first application and administrator",
        value: median(times),
        unit: "s",
        note: `median of ${tenants}, slowest ${Math.max(...times).toFixed(2)} s`,
      },
    ];
  } finally {
    await sql.end();
  }
}

async function secondsToActive(sql: postgres.Sql, slug: string): Promise<number> {
  for (const until = Date.now() + 30_000; Date.now() < until;) {
    const [row] = await sql<[{ seconds: number | null }?]>`
      select extract(epoch from activated_at - created_at)::float8 as seconds
        from public.tenants where slug = ${slug}`;
    if (row?.seconds != null) return row.seconds;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Tenant ${slug} is not active after 30 s`);
}
