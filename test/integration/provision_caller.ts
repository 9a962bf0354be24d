// A tenant's administrator, as functions/provision sees them.
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { House } from "./provision_support.ts";

/** A token as ZITADEL makes it, signed with a key that the database was told to believe. */
export async function tokenOfAlice(house: House, tenantId: string): Promise<string> {
  const { sql } = house.database;
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "alice", use: "sig", alg: "RS256" };
  await sql`select private.put_verification_keys(${house.issuer}, ${sql.json([{ ...jwk }])})`;
  const [facts] = await sql`
    select private.get_setting('zitadel.project_id') as project,
      private.get_setting('zitadel.portal_client_id') as client,
      (select u.subject from public.assignments a join public.users u on u.id = a.user_id
        where a.tenant_id = ${tenantId}) as subject`;
  const { project, client, subject } = facts!;
  return await new SignJWT({ client_id: client, jti: "V2_1-at_1" })
    .setProtectedHeader({ alg: "RS256", kid: "alice", typ: "JWT" })
    .setIssuer(house.issuer).setSubject(subject).setAudience([client, project])
    .setIssuedAt().setExpirationTime("5m").sign(privateKey);
}
