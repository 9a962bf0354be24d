/**
 * Runs the whole stack on this machine, in the foreground, until Ctrl-C.
 *
 *   npm start -- [--port N] [--base-path /prefix] [--host localhost] [--dir .stack] [--fresh] [--no-demo]
 *
 * --port       the front door's port, the others follow it; 0 takes any free ones (default 8000)
 * --base-path  our own addresses (API, portal, sign-in page) stand under it
 * --host       what they call this machine: 127.0.0.1 or localhost, where browsers take passkeys (default 127.0.0.1)
 * --dir        where data, credentials and logs are kept (default .stack)
 * --fresh      forgets the data of that directory first
 * --no-demo    makes no demo tenant and starts no storefront
 *
 * Progress on stderr; on stdout a table of addresses and credentials when ready. Exit 0 stopped · 1 failed · 2 wrong use.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Failure } from "./stack/failure.ts";
import { hosts, type Options, root } from "./stack/layout.ts";
import { Stack } from "./stack/stack.ts";
import { table } from "./stack/table.ts";

const usage =
  "Usage: npm start -- [--port N] [--base-path /prefix] [--host localhost] [--dir .stack] [--fresh] [--no-demo]";

/** @throws {TypeError} that says what is wrong */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string" },
      "base-path": { type: "string" },
      host: { type: "string" },
      dir: { type: "string", default: ".stack" },
      fresh: { type: "boolean", default: false },
      "no-demo": { type: "boolean", default: false },
    },
  });
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_500)) {
    throw new TypeError(`Cannot use port "${values.port}": allowed are 0 to 65500`);
  }
  const basePath = values["base-path"]?.replace(/\/$/, "");
  if (basePath && !/^(\/[A-Za-z0-9._~-]+)+$/.test(basePath)) {
    throw new TypeError(
      `Cannot use base path "${values["base-path"]}": it looks like /acme-prefix`,
    );
  }
  const host = hosts.find((name) => name === values.host);
  if (values.host !== undefined && host === undefined) {
    throw new TypeError(`Cannot use host "${values.host}": allowed are ${hosts.join(" and ")}`);
  }
  return {
    dir: resolve(root, values.dir),
    port,
    basePath,
    host,
    fresh: values.fresh,
    demo: !values["no-demo"],
  };
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(Deno.args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return 2;
  }
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`;
  const say = (text: string) => console.error(`${seconds()}  ${text}`);
  const stack = new Stack(options, { step: (text) => say(`${text} …`), say });

  const asked = stopAsked();
  try {
    const facts = await Promise.race([stack.start(), asked]);
    if (facts) {
      say("Ready");
      console.log(table(facts, join(options.dir, "stack.json")));
      await asked;
    }
    say("Stop …");
    await stack.stop();
    say("Stopped");
    return 0;
  } catch (error) {
    await stack.stop();
    console.error(error instanceof Failure ? error.message : error);
    return 1;
  }
}

/** Resolves at Ctrl-C, a termination, a closed terminal, or when whoever started us is gone. */
function stopAsked(): Promise<undefined> {
  const parent = Deno.ppid;
  return new Promise((resolve) => {
    const stop = () => resolve(undefined);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      Deno.addSignalListener(signal, stop);
    }
    Deno.unrefTimer(setInterval(() => Deno.ppid === parent || stop(), 300));
  });
}

if (import.meta.main) Deno.exit(await main());
