/**
 * Seals anew, under the current secrets key, whatever lies in the database under a former one. Running again goes on where it
 * was cut off, and does nothing when nothing is left. What changes meanwhile is left alone and looked at again.
 *
 *   GATEHOUSE_DB_URL=postgres://gatehouse_worker:…@HOST/gatehouse GATEHOUSE_SECRETS_KEY_FILE=FILE deno task secrets:rotate
 *
 * Order of a rotation: docs/operations.md. Progress on stderr; on stdout one line a table: how many rows were sealed anew, and
 * how many do not open. Exit 0 all is under the current key · 1 failed, or some rows do not open · 2 wrong use.
 */
import postgres, { type JSONValue, type Sql } from "postgres";
import { config, readSecretFile } from "../functions/_shared/config.ts";
import {
  type Keyring,
  parseKeyring,
  type Place,
  reseal,
  SecretError,
  toBase64,
} from "../functions/_shared/secrets.ts";
import { command } from "./command.ts";

/** Rows of one transaction: each locks them for some milliseconds. */
const batchSize = 500;

export interface Rotated {
  table: string;
  /** Sealed anew. */
  rows: number;
  /** Places of rows that do not open: sealed under a key that is not in the file, or altered. */
  failed: Place[];
}

interface Row {
  tenant_id: string;
  id: string;
  key_id: string;
  ciphertext: Uint8Array<ArrayBuffer>;
}

export interface RotateOptions {
  /** Told after each batch: so many of this table's rows so far. */
  progress?: (table: string, rows: number) => void;
  limit?: number;
}

/** Goes through every sealed table. `sql` as gatehouse_worker. */
export async function rotateSecrets(
  sql: Sql,
  ring: Keyring,
  { progress = () => {}, limit = batchSize }: RotateOptions = {},
): Promise<Rotated[]> {
  const tables = await sql<{ name: string }[]>`select name from private.sealed_tables()`;
  const rotated: Rotated[] = [];
  for (const { name } of tables) rotated.push(await rotateTable(sql, ring, name, limit, progress));
  return rotated;
}

async function rotateTable(
  sql: Sql,
  ring: Keyring,
  table: string,
  limit: number,
  progress: NonNullable<RotateOptions["progress"]>,
): Promise<Rotated> {
  const failed: Place[] = [];
  let rows = 0;
  let after: Uint8Array = new Uint8Array();
  for (;;) {
    const batch = await sql<Row[]>`
      select * from private.list_sealed(${table}, ${ring.current}, ${after}, ${limit})`;
    if (batch.length === 0) return { table, rows, failed };
    after = batch.at(-1)!.ciphertext;
    const anew = [];
    for (const { tenant_id: tenantId, id, key_id: keyId, ciphertext } of batch) {
      const place = { table, tenantId, id };
      try {
        const sealed = await reseal({ keyId, ciphertext: new Uint8Array(ciphertext) }, place, ring);
        if (!sealed) continue;
        anew.push({
          tenantId,
          id,
          was: toBase64(ciphertext),
          keyId: sealed.keyId,
          ciphertext: toBase64(sealed.ciphertext),
        });
      } catch (error) {
        if (!(error instanceof SecretError)) throw error;
        failed.push(place);
      }
    }
    const [{ n }] = await sql<[{ n: number }]>`
      select private.replace_sealed(${table}, ${sql.json(anew as unknown as JSONValue)}) as n`;
    rows += n;
    progress(table, rows);
  }
}

const placeText = ({ table, tenantId, id }: Place) => [table, tenantId, id].join(" ");

async function run(): Promise<string> {
  const { dbUrl, secretsKeyFile } = config();
  const ring = await parseKeyring(
    await readSecretFile("GATEHOUSE_SECRETS_KEY_FILE", secretsKeyFile),
  );
  const sql = postgres(dbUrl, { max: 1, onnotice: () => {} });
  try {
    const progress = (table: string, rows: number) => console.error(`${table}  ${rows}`);
    const total = new Map<string, number>();
    for (;;) {
      const rotated = await rotateSecrets(sql, ring, { progress });
      for (const { table, rows } of rotated) total.set(table, (total.get(table) ?? 0) + rows);
      // What another process sealed under its own current key meanwhile: until a round finds nothing.
      if (rotated.some(({ rows }) => rows > 0)) continue;
      const failed = rotated.flatMap(({ failed }) => failed);
      for (const place of failed) console.error(`does not open: ${placeText(place)}`);
      for (const [table, rows] of total) {
        const bad = failed.filter((place) => place.table === table).length;
        console.log(`${table}  ${rows} sealed anew, ${bad} do not open`);
      }
      if (failed.length > 0) throw new Error(`${failed.length} rows do not open with these keys`);
      return `all is under "${ring.current}"`;
    }
  } finally {
    await sql.end();
  }
}

if (import.meta.main) {
  await command({
    usage:
      "usage: GATEHOUSE_DB_URL=postgres://… GATEHOUSE_SECRETS_KEY_FILE=FILE deno task secrets:rotate",
    options: {},
    what: "seal anew",
  }, run);
}
