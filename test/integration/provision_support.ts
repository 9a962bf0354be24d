// A house for the saga: our database, the double of ZITADEL as a process beside it, and the saga as the worker runs it.
import { join } from "node:path";
import type { Sql } from "postgres";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import type { Provisioner, ZitadelConfig } from "../../functions/_shared/zitadel/types.ts";
import { type InstanceOptions, reconcileInstance } from "../../functions/provision/instance.ts";
import {
  type Outcome,
  type ReconcileOptions,
  reconcileTenant,
} from "../../functions/provision/saga.ts";
import { parseKeyring, toBase64 } from "../../functions/_shared/secrets.ts";
import type { InstanceFacts } from "../../functions/provision/state.ts";
import { type Child, spawn, type Spec } from "../../scripts/stack/child.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { serving } from "../../scripts/stack/serving.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";

export const deno = join(root, "node_modules/.bin/deno");

export interface NewTenant {
  slug: string;
  name?: string;
  admin?: { email: string };
  apps?: { name: string; kind?: string; redirectUri?: string }[];
}

export interface Step {
  name: string;
  state: string;
  attempts: number;
  last_error: { slug: string; detail: string; at: string } | null;
  external_id: string | null;
  input_hash: string | null;
}

export class House implements AsyncDisposable {
  #double: Child | undefined;
  readonly issuer: string;
  readonly tokenFile: string;
  /** The worker's own eyes and rights. */
  readonly worker: Sql;
  /** For arranging in ZITADEL, and for looking. */
  readonly zitadel: Provisioner;
  /** The file of the keys that secrets are sealed with. */
  readonly secretsKeys = JSON.stringify({
    current: "k1",
    keys: { k1: toBase64(crypto.getRandomValues(new Uint8Array(32))) },
  });

  private constructor(
    readonly database: TestDatabase,
    readonly doubles: TestDatabase,
    readonly dir: string,
    readonly port: number,
  ) {
    this.issuer = `http://127.0.0.1:${port}`;
    this.tokenFile = join(dir, "provisioner.pat");
    this.worker = database.connect("gatehouse_worker");
    this.zitadel = provisioner(this.address);
  }

  /** `prepared`: ZITADEL itself is as instance__reconcile makes it. `databases`: ours and the double's, where they are not to be a test's. */
  static async open(
    { prepared = true, databases }: {
      prepared?: boolean;
      databases?: [TestDatabase, TestDatabase];
    } = {},
  ): Promise<House> {
    const [database, doubles] = databases ??
      await Promise.all([createDatabase(), createDatabase({ empty: true })]);
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-provision-" });
    const house = new House(database, doubles, dir, findFreeRow(1));
    await house.startZitadel();
    await database.sql`delete from graphile_worker._private_jobs`;
    if (prepared) await house.prepare();
    return house;
  }

  get address(): ZitadelConfig {
    return { profile: "embedded", issuer: this.issuer, tokenFile: this.tokenFile };
  }

  get facts(): InstanceFacts {
    return {
      issuer: this.issuer,
      ownIssuer: "http://127.0.0.1:8000/functions/v1/session",
      functionsUrl: "http://127.0.0.1:8000/functions/v1",
      portalUrl: "http://127.0.0.1:8000/portal/",
      administrator: {
        id: "300000000000000042",
        userName: "admin@gatehouse.example",
        email: "admin@gatehouse.example",
        givenName: "Gatehouse",
        familyName: "Administrator",
        password: "Correct-Horse-7",
      },
      readKeys: () => fetchJwks(this.address),
      secretsKeys: () => parseKeyring(this.secretsKeys),
    };
  }

  /** For GATEHOUSE_SECRETS_KEY_FILE. */
  async writeSecretsKeys(): Promise<string> {
    const file = join(this.dir, "secrets.json");
    await Deno.writeTextFile(file, this.secretsKeys, { mode: 0o600 });
    return file;
  }

  async startZitadel(): Promise<void> {
    const spec: Spec = {
      name: "zitadel",
      command: [
        deno,
        "run",
        "-A",
        "--cached-only",
        "scripts/stack/zitadel/main.ts",
      ],
      cwd: root,
      env: {
        ZITADEL_DOUBLE_LISTEN: `127.0.0.1:${this.port}`,
        ZITADEL_DOUBLE_DB_URL: this.doubles.url(),
        ZITADEL_DOUBLE_BOOTSTRAP_DIR: this.dir,
        ZITADEL_DOUBLE_LAG_MS: "0",
      },
      logFile: join(this.dir, "zitadel.log"),
      ready: (printed) => printed("ready"),
    };
    this.#double = await spawn(spec);
    await serving(this.#double, spec);
  }

  /** Turns the double's knobs: late reads, calls that fail, answers that get lost. */
  async trouble(knobs: { lagMs?: number; failures?: Failure[]; played?: string }): Promise<void> {
    const token = (await Deno.readTextFile(this.tokenFile)).trim();
    const response = await fetch(`${this.issuer}/debug/double`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(knobs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The double answers ${response.status}`);
  }

  async stopZitadel(): Promise<void> {
    await this.#double?.stop();
    this.#double = undefined;
  }

  #options<More>(more: More) {
    return {
      sql: this.worker,
      zitadel: (guard: ZitadelConfig["guard"]) =>
        provisioner({ ...this.address, ...(guard && { guard }) }),
      clock: Date.now,
      holder: crypto.randomUUID(),
      ...more,
    };
  }

  reconcile(tenantId: string, more: Partial<ReconcileOptions> = {}): Promise<Outcome> {
    return reconcileTenant(this.#options({ tenantId, issuer: this.issuer, ...more }));
  }

  prepare({ facts = {}, ...more }: PrepareOptions = {}): Promise<Outcome> {
    return reconcileInstance(this.#options({ facts: { ...this.facts, ...facts }, ...more }));
  }

  async createTenant(
    { slug, name = `Tenant ${slug}`, admin, apps = [] }: NewTenant,
  ): Promise<string> {
    const { sql } = this.database;
    return await sql.begin(async (tx) => {
      const [row] = await tx`
        insert into public.tenants (slug, name, admin_email, admin_given_name, admin_family_name)
        values (${slug}, ${name}, ${admin?.email ?? null}, ${admin ? "Alice" : null},
          ${admin ? "Admin" : null})
        returning id`;
      for (const app of apps) {
        const uris = [app.redirectUri ?? "https://shop.example/callback"];
        await tx`
          insert into public.apps (tenant_id, name, kind, redirect_uris)
          values (${row!.id}, ${app.name}, ${app.kind ?? "spa"}, ${uris})`;
      }
      return row!.id as string;
    });
  }

  async steps(tenantId: string): Promise<Record<string, Step>> {
    const rows = await this.database.sql<Step[]>`
      select name, state, attempts, last_error, external_id, input_hash
        from public.provisioning_steps where tenant_id = ${tenantId} order by position`;
    return Object.fromEntries(rows.map((row) => [row.name, row]));
  }

  async states(tenantId: string): Promise<string> {
    return Object.values(await this.steps(tenantId)).map(({ state }) => state).join(" ");
  }

  async status(tenantId: string): Promise<string> {
    const [row] = await this.database.sql`
      select status from public.tenants where id = ${tenantId}`;
    return row!.status;
  }

  /** All that ever happened in ZITADEL: a write shows here, whoever made it. */
  async events(): Promise<number> {
    const [row] = await this.doubles.sql`select count(*)::integer as n from double.events`;
    return row!.n;
  }

  async countEvents(type: string, aggregateId: string): Promise<number> {
    const [row] = await this.doubles.sql`
      select count(*)::integer as n from double.events
       where type = ${type} and aggregate_id = ${aggregateId}`;
    return row!.n;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopZitadel();
    await Promise.all([this.database.drop(), this.doubles.drop()]);
    await Deno.remove(this.dir, { recursive: true });
  }
}

export interface Failure {
  method: string;
  times: number;
  code: "unavailable" | "internal" | "permission_denied";
  /** ZITADEL does it, and the answer gets lost. */
  afterwards: boolean;
}

type PrepareOptions = Partial<Omit<InstanceOptions, "facts">> & { facts?: Partial<InstanceFacts> };

/** Sets variables of the process, which all test files share, until it is disposed of. */
export function environment(values: Record<string, string>): Disposable {
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}

/** What a killed process is to the saga: nothing after this point happens. */
export class Killed extends Error {}
