// A database with the cast in it, a real key for their tokens, and the functions' environment: set before the functions are imported.
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { toBase64 } from "../../functions/_shared/secrets.ts";
import { generateSigningKey } from "../../functions/session/signing_key.ts";
import { type Actor, arrangeCast, claims, issuer, kid } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

export const publicUrl = "http://gatehouse.test";

export interface Arranged {
  database: TestDatabase;
  environment: Record<string, string>;
  /** A bearer token as the actor holds it; `changes` replaces claims, undefined removes one. */
  token(actor: Actor, changes?: JWTPayload, signing?: Signing): Promise<string>;
  /** Makes ZITADEL's keys exactly these, by kid. */
  setKeys(keys: Record<string, CryptoKeyPair>): Promise<void>;
  keys: CryptoKeyPair;
  dispose(): Promise<void>;
}

export interface Signing {
  header?: Record<string, unknown>;
  key?: CryptoKey | Uint8Array;
}

export async function arrange(): Promise<Arranged> {
  const database = await createDatabase();
  await arrangeCast(database.sql);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-functions-" });
  const file = async (name: string, content: unknown) => {
    await Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(content), { mode: 0o600 });
    return `${folder}/${name}`;
  };
  const environment = {
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_DB_URL: database.url("gatehouse_functions"),
    GATEHOUSE_PUBLIC_URL: publicUrl,
    GATEHOUSE_OUTBOUND_ALLOW: "127.0.0.0/8",
    ZITADEL_ISSUER: issuer,
    LOG_LEVEL: "error",
    GATEHOUSE_SIGNING_KEY_FILE: await file("signing.json", await generateSigningKey()),
    GATEHOUSE_SECRETS_KEY_FILE: await file("secrets.json", {
      current: "k1",
      keys: { k1: toBase64(crypto.getRandomValues(new Uint8Array(32))) },
    }),
  };
  for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);

  const newPair = () => generateKeyPair("RS256", { extractable: true });
  const keys = await newPair();
  const setKeys = async (pairs: Record<string, CryptoKeyPair>) => {
    const jwks = await Promise.all(
      Object.entries(pairs).map(async ([id, { publicKey }]) => {
        const { n, e } = await exportJWK(publicKey);
        return { kty: "RSA", n: n!, e: e!, kid: id };
      }),
    );
    await database.sql`select private.put_verification_keys(${issuer}, ${database.sql.json(jwks)})`;
  };
  await setKeys({ [kid]: keys });

  return {
    database,
    environment,
    keys,
    setKeys,
    token: (actor, changes = {}, { header, key } = {}) =>
      new SignJWT({ ...claims(actor), ...changes })
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT", ...header })
        .sign(key ?? keys.privateKey),
    async dispose() {
      for (const name of Object.keys(environment)) Deno.env.delete(name);
      await database.drop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

export interface Received {
  headers: Record<string, string>;
  body: string;
}

/** A receiver of webhooks on loopback. */
export function receive(answer: () => Response | Promise<Response> = () => new Response("ok")) {
  const received: Received[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      received.push({
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      });
      return await answer();
    },
  );
  return {
    received,
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
