// One whole stack, from an empty directory to ready and back.
// Next, in the order of its life: lock.ts, layout.ts, credentials.ts, postgres.ts, databases.ts, processes.ts, instance.ts, demo.ts.
import { join } from "node:path";
import { type Credentials, readCredentials, writeSecretFile } from "./credentials.ts";
import { installPasswords, makeDatabases } from "./databases.ts";
import { administratorLogin, type DemoFacts, type DemoTenant, seedDemo } from "./demo.ts";
import { Failure } from "./failure.ts";
import { waitForInstance } from "./instance.ts";
import { forget, type Layout, layOut, type Options, root } from "./layout.ts";
import { lockDirectory } from "./lock.ts";
import { anonymousKey, installOwnIssuer } from "./own_issuer.ts";
import {
  type Cluster,
  initPostgres,
  postgresSpec,
  stopLeftover,
  superuserUrl,
} from "./postgres.ts";
import { writePostgrestConfig } from "./postgrest.ts";
import { databaseUrl, postgrest, processes, storefrontSpec } from "./processes.ts";
import { checkParts } from "./parts.ts";
import { Supervisor } from "./supervisor.ts";

/** What .stack/stack.json says. */
export interface Facts {
  apiUrl: string;
  restUrl: string;
  functionsUrl: string;
  issuer: string;
  portalUrl: string;
  storefrontUrl: string;
  loginUrl: string;
  webhookSinkUrl: string;
  /** The local mailbox: a page, and `/messages` as JSON. */
  mailUrl: string;
  providers: {
    url: string;
    /** Of grace, alan and mallory, everywhere. */
    password: string;
  };
  /** As the owner of the schema, for looking around. */
  dbUrl: string;
  anonKey: string;
  demo: DemoFacts;
}

export interface Progress {
  /** A step begins. */
  step(text: string): void;
  /** Something happened beside the steps. */
  say(text: string): void;
}

export class Stack {
  readonly #supervisor: Supervisor;
  readonly #stop = new AbortController();
  #stackFile: string | undefined;
  #settled: Promise<void> | undefined;

  constructor(private readonly options: Options, private readonly progress: Progress) {
    this.#supervisor = new Supervisor((text) => progress.say(text));
  }

  /** Brings everything up. When it throws, `stop()` ends what already runs. */
  start(): Promise<Facts> {
    const facts = this.#bringUp();
    this.#settled = facts.then(() => {}, () => {});
    return facts;
  }

  async #bringUp(): Promise<Facts> {
    const { options } = this;
    await checkParts();
    await lockDirectory(options.dir);
    await stopLeftover(join(options.dir, "postgres"));
    if (options.fresh) await forget(options.dir);
    const layout = await layOut(options);
    await Deno.remove(layout.stackFile).catch(() => {}); // it is there while the stack is ready
    this.#stackFile = layout.stackFile;
    await Deno.mkdir(layout.auditDir, { recursive: true, mode: 0o700 });
    const credentials = await readCredentials(layout.credentialsDir);

    await this.#startDatabase(layout, credentials);
    await this.#startServices(layout, credentials);
    const ownerUrl = databaseUrl(layout, credentials, "gatehouse_migrator");
    this.#step("Wait until ZITADEL is prepared");
    await waitForInstance(ownerUrl, this.#stop.signal);

    const admin = await administratorLogin(layout, credentials);
    const tenant = options.demo && await this.#startDemo(layout, credentials);
    const { apiUrl, restUrl, functionsUrl, issuer, portalUrl } = layout;
    const { storefrontUrl, loginUrl, webhookSinkUrl, mailUrl } = layout;
    const facts: Facts = {
      ...{ apiUrl, restUrl, functionsUrl, issuer, portalUrl },
      ...{ storefrontUrl, loginUrl, webhookSinkUrl, mailUrl },
      providers: { url: layout.providersUrl, password: credentials.played.password },
      dbUrl: ownerUrl,
      anonKey: await anonymousKey(layout.ownIssuer, credentials.signingKey),
      demo: { admin, ...tenant && { tenant } },
    };
    await writeSecretFile(layout.stackFile, JSON.stringify(facts, null, 2) + "\n");
    return facts;
  }

  /** Ends everything, in the opposite order of its start; later calls wait for the first. */
  async stop(): Promise<void> {
    this.#stop.abort(new Failure("Stopped while starting"));
    if (this.#stackFile) await Deno.remove(this.#stackFile).catch(() => {}); // nobody should begin now
    await this.#supervisor.stop();
    // A step that was under way, with the programs it ran; what has not ended by then ends with us.
    await Promise.race([this.#settled, new Promise((resolve) => setTimeout(resolve, 10_000))]);
    if (this.#stackFile) await Deno.remove(this.#stackFile).catch(() => {});
  }

  async #startDatabase(layout: Layout, credentials: Credentials): Promise<void> {
    this.#step("Build the widget and the portal, start Postgres");
    const cluster: Cluster = {
      dataDir: layout.dataDir,
      port: layout.ports.postgres,
      password: credentials.superuserPassword,
      logFile: join(layout.logsDir, "postgres.log"),
      durable: true,
    };
    await Promise.all([
      runScript(["scripts/build.ts"]),
      initPostgres(cluster).then(async () => this.#supervisor.start(await postgresSpec(cluster))),
    ]);

    this.#step("Make the databases, apply migrations, start the double of ZITADEL");
    const superuser = superuserUrl(cluster);
    await makeDatabases(superuser, credentials.passwords);
    const ownerUrl = databaseUrl(layout, credentials, "gatehouse_migrator");
    await Promise.all([
      this.#supervisor.start(processes(layout, credentials).zitadel),
      (async () => {
        await runScript(["scripts/migrate.ts"], { GATEHOUSE_MIGRATE_URL: ownerUrl });
        await installPasswords(superuser, credentials.passwords);
        await installOwnIssuer(ownerUrl, layout.ownIssuer, credentials.signingKey);
      })(),
    ]);
  }

  async #startServices(layout: Layout, credentials: Credentials): Promise<void> {
    this.#step("Start PostgREST, the functions, the worker and the front door");
    await writePostgrestConfig(postgrest(layout, credentials));
    const { zitadel: _, ...services } = processes(layout, credentials);
    await this.#supervisor.start(...Object.values(services));
  }

  async #startDemo(layout: Layout, credentials: Credentials): Promise<DemoTenant> {
    this.#step("Seed the demo tenant, start the storefront");
    const tenant = await seedDemo(layout, credentials, this.#stop.signal);
    await this.#supervisor.start(storefrontSpec(layout, tenant));
    return tenant;
  }

  #step(text: string): void {
    this.#stop.signal.throwIfAborted();
    this.progress.step(text);
  }
}

/** Runs one of our scripts to its end. @throws {Failure} with what it printed */
async function runScript(
  script: [string, ...string[]],
  env: Record<string, string> = {},
): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("setpriv", {
    // It ends when we do.
    args: [
      "--pdeathsig",
      "TERM",
      Deno.execPath(),
      "run",
      "-A",
      "--cached-only",
      "--no-prompt",
      ...script,
    ],
    cwd: root,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success) return;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n");
  throw new Failure(`${script.join(" ")} failed:\n${text.trim()}`);
}
