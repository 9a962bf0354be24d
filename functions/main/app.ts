// One port for the functions of a process: /functions/v1/<name>/… as Supabase has it; each app sees /<name>/….
import { Hono } from "hono";
import { type App, observe } from "../_shared/app.ts";
import { database } from "../_shared/db.ts";
import { onProblem, Problem } from "../_shared/problem.ts";
import { log } from "../_shared/telemetry.ts";

type Fetch = (request: Request, info?: App["Bindings"]) => Response | Promise<Response>;

/** Every function there is, loaded only where GATEHOUSE_FUNCTIONS names it. */
const loaders: Record<string, () => Promise<{ app: { fetch: Fetch } }>> = {
  audit: () => import("../audit/app.ts"),
  events: () => import("../events/app.ts"),
  provision: () => import("../provision/app.ts"),
  session: () => import("../session/app.ts"),
  webhooks: () => import("../webhooks/app.ts"),
  widget: () => import("../widget/app.ts"),
  zitadel: () => import("../zitadel/app.ts"),
};

export const functionNames = Object.keys(loaders);

export async function loadFunctions(names: string[]): Promise<Map<string, Fetch>> {
  return new Map(
    await Promise.all(names.map(async (name) => {
      const load = loaders[name];
      if (!load) {
        throw new TypeError(
          `There is no function "${name}": there are ${functionNames.join(", ")}`,
        );
      }
      return [name, (await load()).app.fetch] as const;
    })),
  );
}

const prefix = "/functions/v1/";

export interface MainOptions {
  functions: Map<string, Fetch>;
  /** True from the moment a stop was asked for: load balancers look at /ready. */
  stopping: () => boolean;
  /** Throws when the process cannot do its work. Default: the database answers and holds keys. */
  ready?: () => Promise<void>;
}

export function mainApp({ functions, stopping, ready = databaseReady }: MainOptions): Fetch {
  const own = new Hono<App>();
  own.use("*", observe("main"));
  own.onError(onProblem);
  own.notFound((c) =>
    onProblem(new Problem("not_found", `No function answers "${c.req.path}"`), c)
  );
  own.get("/health", (c) => c.json({ status: "ok" }));
  own.get("/ready", async (c) => {
    if (stopping()) return c.json({ status: "stopping" }, 503);
    try {
      await ready();
    } catch (error) {
      log("warn", "not ready", { error });
      return c.json({ status: "not ready" }, 503);
    }
    return c.json({ status: "ok", functions: [...functions.keys()] });
  });

  return (request, info) => {
    const url = new URL(request.url);
    if (url.pathname.startsWith(prefix)) {
      const rest = url.pathname.slice(prefix.length);
      const fetch = functions.get(rest.split("/", 1)[0]!);
      if (fetch) {
        url.pathname = `/${rest}`;
        return fetch(new Request(url, request), info);
      }
    }
    return own.fetch(request, info);
  };
}

async function databaseReady(): Promise<void> {
  const sql = database();
  const [row] = await sql<{ keys: number }[]>`
    select count(*)::integer as keys from private.list_verification_keys()`;
  if (!row?.keys) throw new Error("There is no verification key yet");
}
