/**
 * What the played OAuth and OpenID servers share: the sign-in page, codes that are good once and for a minute, and tokens.
 * Each server adds its own quirks: google.ts, github.ts, microsoft.ts, oidc.ts.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Exchange, page, signInPage } from "./page.ts";
import { type Person, personOf } from "./people.ts";

export interface Client {
  id: string;
  /** Absent: a public client, which must use PKCE. */
  secret?: string | undefined;
  redirectUris: string[];
}

interface Asked {
  client: Client;
  redirectUri: string;
  scope: string[];
  state: string;
  nonce: string;
  challenge: string;
}
export interface Granted extends Asked {
  person: Person;
}

export type Refusal = "client" | "secret" | "code" | "redirect_uri" | "verifier";
const codeMs = 60_000;

export class CodeFlow {
  #tickets = new Map<string, Asked>();
  #codes = new Map<string, { granted: Granted; until: number }>();
  #tokens = new Map<string, Granted>();

  constructor(
    readonly title: string,
    readonly clients: Client[],
    /** What the provider's own error page says of an address that is not registered. */
    readonly mismatch: string,
  ) {}

  /** Where the browser begins. */
  authorize({ query }: Exchange, action: string): Response {
    const client = this.clients.find(({ id }) => id === query.get("client_id"));
    const redirectUri = query.get("redirect_uri") ?? "";
    if (!client) return page(this.title, "<p>Unknown client</p>", 400);
    if (!client.redirectUris.includes(redirectUri)) {
      return page(this.title, `<p>${this.mismatch}</p>`, 400);
    }
    const asked: Asked = {
      client,
      redirectUri,
      scope: (query.get("scope") ?? "").split(/[ ,]+/).filter((scope) => scope !== ""),
      state: query.get("state") ?? "",
      nonce: query.get("nonce") ?? "",
      challenge: query.get("code_challenge") ?? "",
    };
    const ticket = randomBytes(16).toString("base64url");
    this.#tickets.set(ticket, asked);
    return signInPage(this.title, action, ticket);
  }

  /** What the form sends. */
  async signIn(exchange: Exchange, action: string): Promise<Response> {
    const form = await exchange.form();
    const ticket = form.get("ticket") ?? "";
    const asked = this.#tickets.get(ticket);
    if (!asked) return page(this.title, "<p>Begin again</p>", 400);
    const back = new URL(asked.redirectUri);
    if (asked.state) back.searchParams.set("state", asked.state);
    if (form.get("do") === "cancel") {
      back.searchParams.set("error", "access_denied");
      return Response.redirect(back.href, 302);
    }
    const person = personOf(form.get("username") ?? "", form.get("password") ?? "");
    if (!person) return signInPage(this.title, action, ticket, true);
    this.#tickets.delete(ticket);
    const code = randomBytes(20).toString("base64url");
    this.#codes.set(code, { granted: { ...asked, person }, until: Date.now() + codeMs });
    back.searchParams.set("code", code);
    return Response.redirect(back.href, 302);
  }

  /** What a code is good for, once; or why not. The secret comes in the form or as HTTP Basic. */
  async redeem(exchange: Exchange): Promise<Granted | Refusal> {
    const form = await exchange.form();
    const basic = basicOf(exchange.headers.get("authorization"));
    const id = basic?.[0] ?? form.get("client_id");
    const client = this.clients.find((known) => known.id === id);
    if (!client) return "client";
    const secret = basic?.[1] ?? form.get("client_secret") ?? undefined;
    if (client.secret !== secret) return "secret";
    const code = form.get("code") ?? "";
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    if (!found || found.until < Date.now() || found.granted.client !== client) return "code";
    if (found.granted.redirectUri !== form.get("redirect_uri")) return "redirect_uri";
    const { challenge } = found.granted;
    if (challenge || client.secret === undefined) {
      const verifier = form.get("code_verifier") ?? "";
      const made = createHash("sha256").update(verifier).digest("base64url");
      if (made !== challenge) return "verifier";
    }
    return found.granted;
  }

  token(granted: Granted, prefix: string): string {
    const token = prefix + randomBytes(24).toString("base64url");
    this.#tokens.set(token, granted);
    return token;
  }

  /** By the bearer token of a request; GitHub also takes `token …`. */
  bearer({ headers }: Exchange): Granted | undefined {
    const token = /^(?:Bearer|token) (\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
    return token === undefined ? undefined : this.#tokens.get(token);
  }
}

function basicOf(header: string | null): [string, string] | undefined {
  const encoded = /^Basic (\S+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const text = atob(encoded);
  const at = text.indexOf(":");
  return [decodeURIComponent(text.slice(0, at)), decodeURIComponent(text.slice(at + 1))];
}
