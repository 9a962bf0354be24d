/**
 * Where the providers of the world are: at their own addresses, or all of them played at one address on this machine
 * (`https://github.com/x` is then `<played>/github.com/x`). Next: scripts/stack/providers/ (who plays them).
 */
export interface Idps {
  /** Ours: where browsers come back to. */
  issuer: string;
  /** Null: the real ones. */
  played: string | null;
  /** How long a succeeded intent is good: ZITADEL's maxIdPIntentLifetime. */
  intentMs: number;
}

export const defaultIntentMs = 3_600_000;

const worldly = new Set([
  "accounts.google.com",
  "oauth2.googleapis.com",
  "openidconnect.googleapis.com",
  "www.googleapis.com",
  "github.com",
  "api.github.com",
  "login.microsoftonline.com",
  "graph.microsoft.com",
]);

export function reach({ played }: Pick<Idps, "played">, address: string): string {
  const url = new URL(address);
  if (played === null || !worldly.has(url.hostname)) return address;
  return `${played.replace(/\/+$/, "")}/${url.hostname}${url.pathname}${url.search}`;
}

/** JSON from a provider, within ten seconds. @throws Error with what it said */
export async function ask<T>(
  idps: Pick<Idps, "played">,
  address: string,
  init: RequestInit = {},
): Promise<T> {
  const response = await fetch(reach(idps, address), {
    ...init,
    headers: { accept: "application/json", ...init.headers },
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${new URL(address).host} answered ${response.status}`);
  return JSON.parse(text) as T;
}
