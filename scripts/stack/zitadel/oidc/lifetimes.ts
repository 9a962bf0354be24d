import type { Store } from "../store.ts";

type Name =
  | "accessTokenLifetime"
  | "idTokenLifetime"
  | "refreshTokenIdleExpiration"
  | "refreshTokenExpiration";

/** Of a new instance. */
export const defaultLifetimes: Record<Name, string> = {
  accessTokenLifetime: "43200s",
  idTokenLifetime: "43200s",
  refreshTokenIdleExpiration: "2592000s",
  refreshTokenExpiration: "7776000s",
};

export function lifetimeSeconds(store: Store, name: Name): number {
  const settings = store.get("instance", "instance")!.oidcSettings;
  return Number((settings[name] ?? defaultLifetimes[name]).replace(/s$/, ""));
}

export const nowSeconds = () => Math.floor(Date.now() / 1000);
