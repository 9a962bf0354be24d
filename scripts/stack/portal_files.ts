// The portal's built files, with headers that let its page run nothing else.
import type { Context } from "hono";
import { extname, join } from "node:path";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

export function portalFiles(
  { basePath, portalDir, issuer }: { basePath: string; portalDir: string; issuer: string },
): (c: Context) => Promise<Response> {
  const prefix = `${basePath}/portal/`;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${issuer}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");

  return async (c) => {
    const name = c.req.path.slice(prefix.length) || "index.html";
    // Flat names only: nothing of a path can lead out of the folder.
    const type = /^[\w-]+(\.[\w-]+)+$/.test(name) ? types[extname(name)] : undefined;
    const bytes = type && await Deno.readFile(join(portalDir, name)).catch(() => undefined);
    if (!type || !bytes) return c.text("Not found", 404);
    return c.body(bytes, 200, {
      "content-type": type,
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-cache",
    });
  };
}
