/**
 * Rotates the key that ZITADEL signs tokens with, which ZITADEL never does by itself: publish, wait, activate, wait, retire.
 * Every call makes at most one move and says when the next is due. Where it stands is a setting, and every move may have been
 * made before: a run cut off anywhere is finished by the next.
 */
import type { JWK } from "jose";
import type { JSONValue, Sql } from "postgres";
import { z } from "zod";
import type { Provisioner } from "../_shared/zitadel/types.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

export const rotation = {
  everyMs: 90 * dayMs,
  /** JWKS are cached 5 minutes by ZITADEL's own word; services may be slower to ask again. */
  publishMs: 15 * minuteMs,
  /** Access tokens live 10 minutes, ID tokens an hour; the rest is for services whose clock or cache is off. */
  retireMs: dayMs,
};

const Standing = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("idle"), at: z.number() }),
  /** The key is in the JWKS and signs nothing yet. */
  z.object({ phase: z.literal("published"), keyId: z.string(), at: z.number() }),
  /** The key signs; the ones before it are still in the JWKS. */
  z.object({ phase: z.literal("activated"), keyId: z.string(), at: z.number() }),
]);
type Standing = z.infer<typeof Standing>;

export interface RotationOptions {
  sql: Sql;
  zitadel: Provisioner;
  issuer: string;
  readKeys: () => Promise<JWK[]>;
  clock: () => number;
  /** Begin now, whenever the last one was. The waits stay. */
  force?: boolean;
}

/** Makes the move that is due, if any; returns when to call again, in ms. */
export async function rotateWebKey(options: RotationOptions): Promise<number> {
  const { zitadel, clock } = options;
  const standing = await read(options);
  if (clock() < due(standing, options.force)) return due(standing);

  switch (standing.phase) {
    case "idle": {
      const waiting = (await zitadel.listWebKeys()).find(({ state }) => state === "initial");
      const keyId = waiting?.id ?? await zitadel.createWebKey();
      await publishKeys(options); // our own database knows the key before ZITADEL uses it
      return await write(options, { phase: "published", keyId, at: clock() });
    }
    case "published": {
      const { keyId } = standing;
      const key = (await zitadel.listWebKeys()).find(({ id }) => id === keyId);
      if (key === undefined) return await write(options, { phase: "idle", at: 0 }); // somebody removed it: begin again
      const published = await publishKeys(options);
      if (!published.some(({ kid }) => kid === keyId)) return clock() + rotation.publishMs;
      if (key.state !== "active") await zitadel.activateWebKey(keyId);
      return await write(options, { phase: "activated", keyId, at: clock() });
    }
    case "activated": {
      for (const { id, state } of await zitadel.listWebKeys()) {
        if (state === "inactive" && id !== standing.keyId) await zitadel.removeWebKey(id);
      }
      await publishKeys(options);
      return await write(options, { phase: "idle", at: clock() });
    }
  }
}

function due(standing: Standing, force = false): number {
  switch (standing.phase) {
    case "idle":
      return force ? 0 : standing.at + rotation.everyMs;
    case "published":
      return standing.at + rotation.publishMs;
    case "activated":
      return standing.at + rotation.retireMs;
  }
}

async function publishKeys({ sql, issuer, readKeys }: RotationOptions): Promise<JWK[]> {
  const keys = await readKeys();
  await sql`select private.put_verification_keys(${issuer}, ${sql.json(keys as JSONValue[])})`;
  return keys;
}

const setting = "zitadel.web_key_rotation";

/** The first call ever counts as the last rotation: ZITADEL made its keys at its own first start. */
async function read(options: RotationOptions): Promise<Standing> {
  const { sql, clock } = options;
  const [row] = await sql<{ value: unknown }[]>`select private.get_setting(${setting}) as value`;
  if (row!.value !== null) return Standing.parse(row!.value);
  const first: Standing = { phase: "idle", at: clock() };
  await write(options, first);
  return first;
}

async function write({ sql }: RotationOptions, standing: Standing): Promise<number> {
  await sql`select private.put_setting(${setting}, ${sql.json({ ...standing })})`;
  return due(standing);
}
