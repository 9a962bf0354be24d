/**
 * The providers of the world, played on this machine at one port: Google, GitHub and Microsoft under the names of their hosts
 * (`/github.com/…`), a GitHub Enterprise Server at `/github.corp`, a company's own OpenID server at `/oidc` and its SAML provider at
 * `/saml`. Nothing here is safe, and nothing here leaves the machine. The directory is directory.ts: a real slapd.
 */
import type { Certificate } from "../certificate.ts";
import type { Client } from "./code_flow.ts";
import { github } from "./github.ts";
import { google } from "./google.ts";
import { microsoft } from "./microsoft.ts";
import { oidc } from "./oidc.ts";
import { type Exchange, json } from "./page.ts";
import { saml } from "./saml.ts";

/** Null: no such address at this host. */
export type Host = (exchange: Exchange) => Response | null | Promise<Response | null>;

export interface PlayedProviders {
  /** For ZITADEL_DOUBLE_PLAYED. */
  url: string;
  oidcIssuer: string;
  samlMetadata: string;
  /** GitHub Enterprise Server. */
  enterpriseUrl: string;
  clients: Client[];
  close(): Promise<void>;
}

/** `clients` may sign people in at each of them. */
export async function playProviders(
  { hostname = "127.0.0.1", port = 0, clients, samlKeys }: {
    hostname?: string;
    port?: number;
    clients: Client[];
    /** Kept, since who trusts the SAML provider keeps its metadata. Default: made now. */
    samlKeys?: Certificate;
  },
): Promise<PlayedProviders> {
  let hosts: Record<string, Host> = {};
  const server = Deno.serve({ hostname, port, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const [, name = "", path = ""] = /^\/([^/]+)(.*)$/.exec(url.pathname) ?? [];
    let form: Promise<URLSearchParams> | undefined;
    const answer = await hosts[name]?.({
      method: request.method,
      path,
      query: url.searchParams,
      headers: request.headers,
      form: () => form ??= request.text().then((text) => new URLSearchParams(text)),
    });
    return answer ?? json({ error: "not_found" }, 404);
  });
  const url = `http://${hostname}:${server.addr.port}`;
  const directory = saml(`${url}/saml`, samlKeys);
  hosts = {
    ...await google(clients, url),
    ...github(clients, url),
    ...await microsoft(clients, url),
    oidc: await oidc(clients, `${url}/oidc`),
    saml: directory.host,
  };
  return {
    url,
    oidcIssuer: `${url}/oidc`,
    samlMetadata: directory.metadata,
    enterpriseUrl: `${url}/github.corp`,
    clients,
    close: () => server.shutdown(),
  };
}
