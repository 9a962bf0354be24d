/**
 * What a tenant published, to everybody who knows its hash: the address says what it holds, so it may be kept for ever.
 * Next: look.ts (what is published now), sql/45_widgets (who publishes).
 */
import type { Context, Hono } from "hono";
import type { App } from "../_shared/app.ts";
import { database, type Sql } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { loadAsset } from "./assets.ts";

const sha256 = /^[0-9a-f]{64}$/;
const scriptHash = /^[A-Za-z0-9_-]{16}$/;

/** Opened by itself a logo may run nothing, load nothing and be nobody's origin. */
const logoPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/** To be called before the routes of the files of now: an older script that a page pins has the same path. */
export function servePublished(app: Hono<App>, sql: () => Sql = database): void {
  /** `?h=` of a script that is not the one of now: 200 that one, if a page may have pinned it; else the one of now. */
  app.get("/gatehouse.js", async (c, next) => {
    const hash = c.req.query("h");
    if (hash === undefined || !scriptHash.test(hash)) return await next();
    if (hash === (await loadAsset("gatehouse.js")).hash) return await next();
    const [row] = await sql()<{ bytes: Uint8Array<ArrayBuffer> | null }[]>`
      select private.widget_script(${hash}) as bytes`;
    if (row?.bytes == null) return await next();
    return kept(c, hash, new Uint8Array(row.bytes), "text/javascript; charset=utf-8");
  });

  /** 200 what `Published` is without its hash, byte for byte what the hash is of · 304 · 404 not_found */
  app.get("/config/:file", async (c) => {
    const hash = c.req.param("file").replace(/\.json$/, "");
    const [row] = known(c, hash)
      ? await sql()<{ body: string | null }[]>`select private.widget_config_body(${hash}) as body`
      : [];
    if (row?.body == null) throw unknown(c);
    return kept(c, hash, row.body, "application/json");
  });

  /** 200 the picture · 304 · 404 not_found */
  app.get("/logo/:hash", async (c) => {
    const hash = c.req.param("hash");
    const [logo] = known(c, hash)
      ? await sql()<{ type: string; bytes: Uint8Array<ArrayBuffer> }[]>`
          select type, bytes from private.widget_logo(${hash})`
      : [];
    if (logo === undefined) throw unknown(c);
    c.header("content-security-policy", logoPolicy);
    return kept(c, hash, new Uint8Array(logo.bytes), logo.type);
  });
}

/** Asked for by its one address, so that no cache keeps it under several. */
function known(c: Context<App>, hash: string): boolean {
  return sha256.test(hash) && new URL(c.req.url).search === "";
}

function unknown(c: Context<App>): Problem {
  return new Problem("not_found", `Nothing is published at "${c.req.path}"`);
}

function kept(
  c: Context<App>,
  hash: string,
  content: string | Uint8Array<ArrayBuffer>,
  type: string,
): Response {
  const etag = `"${hash}"`;
  const headers = {
    "content-type": type,
    "cache-control": "public, max-age=31536000, immutable",
    etag,
    // Customers' pages show it; there is nothing in it that a reader of the address may not see.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
  };
  return c.req.header("if-none-match") === etag
    ? c.body(null, 304, headers)
    : c.body(content, 200, headers);
}
