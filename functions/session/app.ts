// Our own issuer: its metadata and public key, and what a page must know before anybody signs in.
import type { Context } from "hono";
import { type App, newApp } from "../_shared/app.ts";
import { config, readSecretFile } from "../_shared/config.ts";
import { database } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { parseSigningKey, signAnonymousKey, type SigningKey } from "./signing_key.ts";

export const app = newApp("session");

let loading: Promise<SigningKey> | undefined;
const signingKey = () =>
  loading ??= readSecretFile("GATEHOUSE_SIGNING_KEY_FILE", config().signingKeyFile)
    .then((text) => parseSigningKey(text))
    .catch((error) => {
      loading = undefined;
      throw error;
    });

/** 200 the issuer's metadata (OpenID Connect Discovery 1.0, the members that hold for it) */
app.get("/.well-known/openid-configuration", (c) => {
  const issuer = config().ownIssuer;
  return shared(c, {
    issuer,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ["none"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  });
});

/** 200 `{ keys: [JWK] }` */
app.get("/keys", async (c) => shared(c, { keys: [(await signingKey()).publicJwk] }));

/** 200 `{ issuer, clientId, scope, restUrl, functionsUrl, anonKey }`, all public · 503 `not_configured` until instance__reconcile is done */
app.get("/config", async (c) => {
  const { zitadelIssuer, restUrl, functionsUrl, ownIssuer } = config();
  const [row] = await database()<{ settings: Record<string, unknown>; audience: string | null }[]>`
    select private.public_config() as settings,
      (select audience from private.list_issuers() where issuer = ${ownIssuer}) as audience`;
  const clientId = row?.settings["zitadel.portal_client_id"];
  const projectId = row?.settings["zitadel.project_id"];
  if (typeof clientId !== "string" || typeof projectId !== "string" || !row?.audience) {
    throw new Problem("not_configured", "The instance is not set up yet", {
      headers: { "retry-after": "2" },
    });
  }
  return c.json({
    issuer: zitadelIssuer,
    clientId,
    scope: `openid profile email urn:zitadel:iam:org:project:id:${projectId}:aud`,
    restUrl,
    functionsUrl,
    anonKey: await anonymousKey(row.audience),
  });
});

const anonymousKeys = new Map<string, Promise<string>>();

/** Signed once a process: every one of them is as good, and a change of key or audience needs no other place to follow. */
function anonymousKey(audience: string): Promise<string> {
  const known = anonymousKeys.get(audience);
  if (known) return known;
  const signing = signingKey().then((key) =>
    signAnonymousKey(key, { issuer: config().ownIssuer, audience })
  );
  signing.catch(() => anonymousKeys.delete(audience));
  anonymousKeys.set(audience, signing);
  return signing;
}

/** Public and the same for everybody, so any page may read it and keep it for a minute. */
function shared(c: Context<App>, document: Record<string, unknown>): Response {
  return c.json(document, 200, {
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=60",
  });
}
