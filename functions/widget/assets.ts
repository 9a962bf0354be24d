import { encodeBase64Url } from "hono/utils/encode";
import type { Context } from "hono";
import type { App } from "../_shared/app.ts";
import { Problem } from "../_shared/problem.ts";

/** A file that browsers load, with the hash of its content. */
export interface Asset {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  /** 16 characters of base64url SHA-256. */
  hash: string;
}

const types: Record<string, string> = {
  "gatehouse.js": "text/javascript; charset=utf-8",
  "account.js": "text/javascript; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "mark.svg": "image/svg+xml",
  // English is in the scripts; the rest comes when it is asked for.
  ...Object.fromEntries(
    ["ru", "de", "fr", "es", "da", "ar"].flatMap((language) =>
      ["", "account."].map((set) => [`texts/${set}${language}.txt`, "text/plain; charset=utf-8"])
    ),
  ),
};
const folder = new URL("../../widget/dist/", import.meta.url);
const cached = new Map<string, Asset>();

export const assetNames = Object.keys(types);

/** @throws {Problem} not_configured when the widget was not built */
export async function loadAsset(name: string): Promise<Asset> {
  const kept = cached.get(name);
  if (kept) return kept;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(new URL(name, folder));
  } catch (cause) {
    throw new Problem("not_configured", `"widget/dist/${name}" is missing: build it first`, {
      cause,
    });
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const asset = {
    bytes,
    type: types[name]!,
    hash: encodeBase64Url(digest).slice(0, 16),
  };
  cached.set(name, asset);
  return asset;
}

/** For ever when asked for by its hash (`?h=`), else to be asked about again after five minutes. */
export async function sendAsset(c: Context<App>, name: string): Promise<Response> {
  const { bytes, type, hash } = await loadAsset(name);
  const etag = `"${hash}"`;
  const headers = {
    "content-type": type,
    "cache-control": c.req.query("h") === hash
      ? "public, max-age=31536000, immutable"
      : "public, max-age=300, must-revalidate",
    etag,
    // Customers' pages load the script from us, with an integrity value if they like.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
  };
  return c.req.header("if-none-match") === etag
    ? c.body(null, 304, headers)
    : c.body(bytes, 200, headers);
}
