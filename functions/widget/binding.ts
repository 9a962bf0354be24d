/**
 * Ties a flow to the browser that began it. On our own page its memory lies sealed in a cookie, http-only, same-site, sent to this
 * function only, one a flow: what comes without it is refused, so another site cannot post its own. Inline the memory is the flow
 * token itself, which the customer's page keeps and which counts from that page's origin only.
 */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { App } from "../_shared/app.ts";
import { Problem } from "../_shared/problem.ts";
import type { Keyring } from "../_shared/secrets.ts";
import type { Memory } from "./flow/memory.ts";
import { sealing } from "./sealing.ts";

/** Marks a flow token of the inline mode; ids of flows on our page never begin so. */
const inlineMark = "gf1.";

export interface BindingParts {
  publicUrl: string;
  keyring: () => Promise<Keyring>;
  now: () => Date;
}

/** Of all our cookies. Secure wherever the outside is https, also behind a proxy that ends TLS. */
export function cookieScope(publicUrl: string) {
  const { protocol, pathname } = new URL(publicUrl);
  return {
    path: `${pathname.replace(/\/$/, "")}/functions/v1/widget`,
    httpOnly: true,
    sameSite: "Strict",
    secure: protocol === "https:",
  } as const;
}

/** @throws {Problem} browser_mismatch, where another site sends the request */
export function requireOwnOrigin(c: Context<App>, publicUrl: string): void {
  const { origin } = new URL(publicUrl);
  const from = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  if ((from ?? origin) !== origin || (site ?? "same-origin") !== "same-origin") {
    throw mismatch(`The request comes from "${from ?? site}", not from the sign-in page`);
  }
}

export function flowBinding({ publicUrl, keyring, now }: BindingParts) {
  const scope = cookieScope(publicUrl);
  const sealer = sealing(keyring);
  const seconds = () => Math.floor(now().getTime() / 1000);

  async function fromCookie(c: Context<App>, ref: string): Promise<Memory | undefined> {
    const names = await cookieNames(ref);
    for (const name of [names.begun, names.arrived]) {
      const cookie = getCookie(c, name);
      if (cookie === undefined) continue;
      const memory = await sealer.open("widget_flow", ref, cookie) as Memory | undefined;
      if (memory && memory.expiresAt > seconds()) return memory;
    }
    return undefined;
  }

  async function toCookie(c: Context<App>, name: string, memory: Memory): Promise<void> {
    const sealed = await sealer.seal("widget_flow", memory.ref, memory);
    const maxAge = Math.max(0, memory.expiresAt - seconds());
    setCookie(c, name, sealed, { ...scope, maxAge });
  }

  return {
    /**
     * For the answer to a navigation, which brings no strict cookie along when another site led to the page, nor when it is loaded
     * anew: what this browser has of the flow already stays, and goes first.
     */
    async arrive(c: Context<App>, memory: Memory): Promise<void> {
      await toCookie(c, (await cookieNames(memory.ref)).arrived, memory);
    },

    /** Seals the memory and answers what the next request must bring along as `x-gatehouse-flow`. */
    async keep(c: Context<App>, memory: Memory): Promise<string> {
      if (memory.mode === "inline") {
        return inlineMark + await sealer.seal("widget_inline", "flow", memory);
      }
      const { begun, arrived } = await cookieNames(memory.ref);
      await toCookie(c, begun, memory);
      if (getCookie(c, arrived) !== undefined) deleteCookie(c, arrived, scope);
      return memory.ref;
    },

    /** What this browser has of a flow on our page; undefined when nothing, or run out. */
    find: fromCookie,

    /** @throws {Problem} browser_mismatch */
    async require(c: Context<App>, flow: string): Promise<Memory> {
      if (flow.startsWith(inlineMark)) {
        const memory = await sealer.open("widget_inline", "flow", flow.slice(inlineMark.length)) as
          | Memory
          | undefined;
        if (memory === undefined) throw mismatch("The flow token is not one of ours");
        if (memory.expiresAt <= seconds()) throw mismatch("The flow token has run out");
        if (c.req.header("origin") !== memory.origin) {
          throw mismatch("The flow token was given to a page of another origin");
        }
        return memory;
      }
      requireOwnOrigin(c, publicUrl);
      const memory = await fromCookie(c, flow);
      if (memory === undefined) {
        throw mismatch("This browser did not open the sign-in page, or too long ago");
      }
      return memory;
    },

    async release(c: Context<App>, { mode, ref }: Memory): Promise<void> {
      if (mode === "inline") return;
      const { begun, arrived } = await cookieNames(ref);
      for (const name of [begun, arrived]) deleteCookie(c, name, scope);
    },
  };
}

export const mismatch = (detail: string, cause?: unknown) =>
  new Problem("browser_mismatch", detail, { cause });

/** Several tabs may sign in at once, each with its own flow. */
async function cookieNames(ref: string): Promise<{ begun: string; arrived: string }> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ref));
  const hex = [...new Uint8Array(hash).subarray(0, 8)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { begun: `gatehouse_flow_${hex}`, arrived: `gatehouse_flow_new_${hex}` };
}
