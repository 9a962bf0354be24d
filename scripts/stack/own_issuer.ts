// Our own issuer (functions/session): the database learns its public key before PostgREST starts.
import type { JWK } from "jose";
import postgres from "postgres";
import { ownAudience } from "../../functions/provision/steps/instance/project.ts";
import { parseSigningKey, signAnonymousKey } from "../../functions/session/signing_key.ts";

export async function installOwnIssuer(
  databaseUrl: string,
  issuer: string,
  signingKey: JWK,
): Promise<void> {
  const { publicJwk } = await parseSigningKey(JSON.stringify(signingKey));
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (tx) => {
      const keys = tx.json([publicJwk as postgres.JSONValue]);
      await tx`select private.put_issuer(${issuer}, 'gatehouse', ${ownAudience}, ${`${issuer}/keys`})`;
      await tx`select private.put_verification_keys(${issuer}, ${keys})`;
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The token that supabase-js sends before anybody signs in. */
export async function anonymousKey(issuer: string, signingKey: JWK): Promise<string> {
  const key = await parseSigningKey(JSON.stringify(signingKey));
  return await signAnonymousKey(key, { issuer, audience: ownAudience });
}
