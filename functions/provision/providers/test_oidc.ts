// OpenID servers: what their discovery document says, and whether their keys can be read.
import type { Door } from "../../_shared/outbound.ts";
import { type Checks, Failed } from "./checks.ts";

interface Discovery {
  issuer?: unknown;
  authorization_endpoint?: unknown;
  token_endpoint?: unknown;
  userinfo_endpoint?: unknown;
  jwks_uri?: unknown;
  code_challenge_methods_supported?: unknown;
}
const endpoints = [
  "authorization_endpoint",
  "token_endpoint",
  "userinfo_endpoint",
  "jwks_uri",
] as const;

/** Origins besides the issuer's own, for the egress list; null: there is no such document. */
export async function testOidc(
  checks: Checks,
  door: Door,
  { issuer, pkce = false }: { issuer: string; pkce?: boolean },
): Promise<string[] | null> {
  let found: Discovery | undefined;
  await checks.run("discovery", async () => {
    const document = await readJson(door, `${issuer}/.well-known/openid-configuration`);
    // Microsoft's common directories have no one issuer: the document says {tenantid} in its place.
    const says = String(document.issuer).replace("{tenantid}", tenantOf(issuer));
    if (says !== issuer) {
      throw new Failed("issuer_mismatch", `"${issuer}" says that its issuer is "${says}"`);
    }
    for (const name of endpoints) {
      const url = URL.parse(String(document[name]));
      if (url === null) throw new Failed("endpoint_missing", `The document names no ${name}`);
      if (url.protocol !== "https:" && new URL(issuer).protocol === "https:") {
        throw new Failed("endpoint_insecure", `${name} is not https`);
      }
    }
    if (
      pkce && !(document.code_challenge_methods_supported as string[] | undefined)?.includes("S256")
    ) {
      throw new Failed("pkce_unsupported", "The server does not say that it takes PKCE with S256");
    }
    found = document;
    return `${issuer} answers, with every endpoint that is needed`;
  });
  if (!found || !checks.ok) return null;
  await checks.run("keys", async () => {
    const { keys } = await readJson<{ keys?: unknown[] }>(door, String(found!.jwks_uri));
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new Failed("keys_empty", "The server publishes no keys to check its tokens with");
    }
    return `${keys.length} keys`;
  });
  const origins = endpoints.map((name) => new URL(String(found![name])).origin);
  return [...new Set(origins)].filter((origin) => origin !== new URL(issuer).origin).toSorted();
}

const tenantOf = (issuer: string) => new URL(issuer).pathname.split("/")[1] ?? "";

async function readJson<T = Discovery>(door: Door, url: string): Promise<T> {
  const answer = await door.send({
    url,
    method: "GET",
    headers: { accept: "application/json" },
    timeoutMs: 10_000,
    maxBytes: 200_000,
  });
  if (answer.status !== 200) {
    throw new Failed("status_unexpected", `${url} answered ${answer.status}`);
  }
  try {
    return JSON.parse(new TextDecoder().decode(answer.body)) as T;
  } catch {
    throw new Failed("answer_malformed", `${url} answered something that is not JSON`);
  }
}
