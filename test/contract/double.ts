// A double of the suite's own, as a process on a database of its own; or the ZITADEL that the environment names.
import { join } from "node:path";
import type { ZitadelConfig } from "../../functions/_shared/zitadel/types.ts";
import { type Child, spawn, type Spec } from "../../scripts/stack/child.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { serving } from "../../scripts/stack/serving.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";

export type Credential = "provisioner" | "login-client" | "event-reader";

/** A ZITADEL to be asked. `ours`: a double, with its knobs. */
export interface Instance {
  issuer: string;
  url: string;
  ours: boolean;
  config(credential: Credential): ZitadelConfig;
  token(credential: Credential): Promise<string>;
  stop(): Promise<void>;
}

const variables: Record<Credential, string> = {
  provisioner: "ZITADEL_PROVISIONER_TOKEN_FILE",
  "login-client": "ZITADEL_LOGIN_CLIENT_TOKEN_FILE",
  "event-reader": "ZITADEL_EVENT_READER_TOKEN_FILE",
};

/**
 * With ZITADEL_URL that ZITADEL (ZITADEL_ISSUER where it differs; the tokens in the files that ZITADEL_…_TOKEN_FILE name),
 * else a double.
 */
export async function openInstance(): Promise<Instance> {
  const url = Deno.env.get("ZITADEL_URL");
  if (!url) return await RunningDouble.start();
  const issuer = Deno.env.get("ZITADEL_ISSUER") ?? url;
  const file = (credential: Credential) => {
    const path = Deno.env.get(variables[credential]);
    if (!path) throw new Error(`With ZITADEL_URL, ${variables[credential]} must name a file`);
    return path;
  };
  return {
    issuer,
    url,
    ours: false,
    config: (credential) => ({ profile: "embedded", issuer, url, tokenFile: file(credential) }),
    token: async (credential) => (await Deno.readTextFile(file(credential))).trim(),
    stop: () => Promise.resolve(),
  };
}

export class RunningDouble implements Instance {
  readonly ours = true;
  readonly issuer: string;
  readonly url: string;
  #child: Child | undefined;

  private constructor(
    readonly database: TestDatabase,
    readonly dir: string,
    readonly port: number,
  ) {
    this.issuer = this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<RunningDouble> {
    const [database, dir] = await Promise.all([
      createDatabase({ empty: true }),
      Deno.makeTempDir({ prefix: "gatehouse-double-" }),
    ]);
    const double = new RunningDouble(database, dir, findFreeRow(1));
    await double.startProcess();
    return double;
  }

  async startProcess(): Promise<void> {
    const spec: Spec = {
      name: "zitadel",
      command: [
        join(root, "node_modules/.bin/deno"),
        "run",
        "-A",
        "--cached-only",
        "scripts/stack/zitadel/main.ts",
      ],
      cwd: root,
      env: {
        ZITADEL_DOUBLE_LISTEN: `127.0.0.1:${this.port}`,
        ZITADEL_DOUBLE_DB_URL: this.database.url(),
        ZITADEL_DOUBLE_BOOTSTRAP_DIR: this.dir,
      },
      logFile: join(this.dir, "zitadel.log"),
      ready: (printed) => printed("ready"),
    };
    this.#child = await spawn(spec);
    await serving(this.#child, spec);
  }

  async stopProcess(): Promise<void> {
    await this.#child?.stop();
    this.#child = undefined;
  }

  async stop(): Promise<void> {
    await this.stopProcess();
    const log = await Deno.readTextFile(join(this.dir, "zitadel.log"));
    await this.database.drop();
    await Deno.remove(this.dir, { recursive: true });
    // An answer that ZITADEL could not have made is a fault of the double, whatever its caller thought of it.
    if (log.includes("FAULT")) throw new Error(`The double was at fault:\n${log}`);
  }

  config(credential: Credential): ZitadelConfig {
    return {
      profile: "embedded",
      issuer: this.issuer,
      tokenFile: join(this.dir, `${credential}.pat`),
    };
  }

  async token(credential: Credential): Promise<string> {
    return (await Deno.readTextFile(join(this.dir, `${credential}.pat`))).trim();
  }

  /** Knobs of scripts/stack/zitadel/server.ts. */
  async turn(
    knobs: {
      lagMs?: number;
      lateMs?: number;
      failures?: object[];
      played?: string | null;
      intentMs?: number;
    },
  ): Promise<void> {
    const response = await fetch(`${this.url}/debug/double`, {
      method: "POST",
      headers: { authorization: `Bearer ${await this.token("provisioner")}` },
      body: JSON.stringify(knobs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The double refused a knob: ${response.status}`);
  }
}
