/**
 * Ties an auth request to the browser that opened its sign-in page: a sealed, http-only, same-site cookie, one per request,
 * sent to this function only. Credentials that come without it are refused, so another site cannot post its own.
 */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { App } from "../_shared/app.ts";
import { Problem } from "../_shared/problem.ts";
import { fromBase64, type Keyring, open, seal, SecretError, toBase64 } from "../_shared/secrets.ts";

export interface Binding {
  /** Random; the fingerprint that ZITADEL keeps with the session. */
  browser: string;
  /** Unix seconds. */
  expiresAt: number;
}

/** As long as somebody may look for a password; ZITADEL forgets auth requests by itself. */
const lifetimeSeconds = 60 * 60;

export function browserBinding(options: {
  publicUrl: string;
  keyring: () => Promise<Keyring>;
  now: () => Date;
}) {
  const { origin, protocol, pathname } = new URL(options.publicUrl);
  const scope = {
    path: `${pathname.replace(/\/$/, "")}/functions/v1/widget`,
    httpOnly: true,
    sameSite: "Strict",
    secure: protocol === "https:",
  } as const;
  const seconds = () => Math.floor(options.now().getTime() / 1000);

  return {
    async bind(c: Context<App>, authRequest: string): Promise<void> {
      const binding: Binding = {
        browser: crypto.randomUUID(),
        expiresAt: seconds() + lifetimeSeconds,
      };
      const { keyId, ciphertext } = await seal(
        JSON.stringify(binding),
        place(authRequest),
        await options.keyring(),
      );
      setCookie(c, await cookieName(authRequest), `${keyId}.${base64url(ciphertext)}`, {
        ...scope,
        maxAge: lifetimeSeconds,
      });
    },

    /** @throws {Problem} browser_mismatch */
    async require(c: Context<App>, authRequest: string): Promise<Binding> {
      const from = c.req.header("origin");
      const site = c.req.header("sec-fetch-site");
      if ((from ?? origin) !== origin || (site ?? "same-origin") !== "same-origin") {
        throw mismatch(`The request comes from "${from ?? site}", not from the sign-in page`);
      }
      const cookie = getCookie(c, await cookieName(authRequest));
      if (cookie === undefined) throw mismatch("This browser did not open the sign-in page");
      const binding = await openCookie(cookie, authRequest, await options.keyring());
      if (binding.expiresAt <= seconds()) throw mismatch("The sign-in page was open for too long");
      return binding;
    },

    async release(c: Context<App>, authRequest: string): Promise<void> {
      deleteCookie(c, await cookieName(authRequest), scope);
    },
  };
}

async function openCookie(cookie: string, authRequest: string, ring: Keyring): Promise<Binding> {
  const [keyId = "", text = ""] = cookie.split(".");
  try {
    const bytes = await open({ keyId, ciphertext: fromBase64url(text) }, place(authRequest), ring);
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    if (cause instanceof SecretError || cause instanceof DOMException) {
      throw mismatch("The sign-in page's cookie is not one of ours", cause);
    }
    throw cause;
  }
}

const place = (authRequest: string) => ({
  table: "widget_binding", // a cookie, not a table: keeps it apart from every sealed row
  tenantId: "none",
  id: authRequest,
});

const mismatch = (detail: string, cause?: unknown) =>
  new Problem("browser_mismatch", detail, { cause });

/** Several tabs may sign in at once, each with its own request. */
async function cookieName(authRequest: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(authRequest));
  const hex = [...new Uint8Array(hash).subarray(0, 8)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `gatehouse_flow_${hex}`;
}

const base64url = (bytes: Uint8Array) =>
  toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const fromBase64url = (text: string) => fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
