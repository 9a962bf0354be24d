/**
 * The one origin of a stack: sends each request on by its path, under an optional prefix.
 *
 *   FRONT_DOOR_LISTEN=127.0.0.1:8000 FRONT_DOOR='{…FrontDoor}' deno run scripts/stack/front_door.ts
 *
 * In an installation a reverse proxy stands here. Next: portal_files.ts (what it serves itself).
 */
import { type Context, Hono } from "hono";
import { getConnInfo } from "hono/deno";
import { proxy } from "hono/proxy";
import { listenAddress } from "./listen_address.ts";
import { portalFiles } from "./portal_files.ts";

export interface FrontDoor {
  /** "" or "/acme-prefix". */
  basePath: string;
  /** Origins that requests are sent on to. */
  postgrest: string;
  functionsPublic: string;
  functionsInternal: string;
  portalDir: string;
  /** The portal's script talks to it, so its content security policy names it. */
  issuer: string;
}

const publicFunctions = ["widget", "session"];
const internalFunctions = ["provision", "webhooks", "events", "audit", "zitadel"];

export function frontDoor(door: FrontDoor): Hono {
  const app = new Hono();
  const site = app.basePath(door.basePath || "/");
  const rest = `${door.basePath}/rest/v1`;
  site.all("/rest/v1/*", (c) => sendOn(c, door.postgrest, rest));
  const mount = (names: string[], origin: string) => {
    for (const name of names) {
      const handler = (c: Context) => sendOn(c, origin, door.basePath);
      site.all(`/functions/v1/${name}`, handler);
      site.all(`/functions/v1/${name}/*`, handler);
    }
  };
  mount(publicFunctions, door.functionsPublic);
  mount(internalFunctions, door.functionsInternal);
  site.get("/portal", (c) => c.redirect(`${door.basePath}/portal/`, 308));
  site.get("/portal/*", portalFiles(door));
  site.get("/", (c) => c.redirect(`${door.basePath}/portal/`, 302));
  return app;
}

/** Sends a request on to `origin`, without the front of its path. */
async function sendOn(c: Context, origin: string, without: string): Promise<Response> {
  const { pathname, search } = new URL(c.req.url); // as it came: c.req.path is decoded
  const headers = new Headers(c.req.raw.headers);
  headers.delete("apikey"); // Supabase's clients send it; the bearer token is what counts
  headers.set("x-forwarded-for", getConnInfo(c).remote.address ?? "unknown");
  headers.set("x-forwarded-proto", "http");
  headers.set("x-forwarded-host", c.req.header("host") ?? "");
  headers.delete("forwarded");
  try {
    return await proxy(origin + pathname.slice(without.length) + search, {
      raw: c.req.raw,
      headers,
      redirect: "manual",
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // fetch's way to say: nobody there
    const body = {
      type: "urn:gatehouse:problem:unavailable",
      title: "unavailable",
      status: 503,
      detail: "The service behind this address is starting or restarting",
    };
    return c.json(body, 503, {
      "content-type": "application/problem+json",
      "retry-after": "1",
    });
  }
}

if (import.meta.main) {
  const door: FrontDoor = JSON.parse(Deno.env.get("FRONT_DOOR") ?? "null");
  Deno.serve({ ...listenAddress("FRONT_DOOR_LISTEN"), onListen: () => {} }, frontDoor(door).fetch);
}
