import { createHash } from "node:crypto";
import { importJWK, type JWK, jwtVerify, SignJWT } from "jose";
import type { WebKey } from "../model.ts";
import type { Store } from "../store.ts";

/** The one that signs first, then all others that are published. */
export function signingKeys(store: Store): WebKey[] {
  return store.all("web_key").sort((a, b) =>
    Number(b.state === "active") - Number(a.state === "active")
  );
}

/** With ZITADEL's header: `alg`, `kid` and, for access tokens too, `typ: JWT`. */
export async function sign(store: Store, claims: Record<string, unknown>): Promise<string> {
  const [active] = signingKeys(store);
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", kid: active!.id, typ: "JWT" })
    .sign(await importJWK(active!.privateJwk as JWK, "RS256"));
}

/** Claims of a token of ours; null: not ours, changed, or expired. */
export async function verify(
  store: Store,
  issuer: string,
  token: string,
  options: { ignoreExpiry?: boolean } = {},
): Promise<Record<string, unknown> | null> {
  try {
    const { payload } = await jwtVerify(token, async ({ kid }) => {
      const key = store.get("web_key", kid ?? "");
      if (!key) throw new Error(`There is no key "${kid}"`);
      const { kty, n, e } = key.privateJwk;
      return await importJWK({ kty, n, e } as JWK, "RS256");
    }, {
      issuer,
      algorithms: ["RS256"],
      ...(options.ignoreExpiry ? { currentDate: new Date(0) } : {}),
    });
    return payload;
  } catch {
    return null;
  }
}

/** Half of the token's hash, as at_hash wants it. */
export const halfHash = (token: string) =>
  createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");
