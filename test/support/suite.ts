// One database for all tests of a file: made before the first, dropped after the last.
import { arrangeCast } from "./actors.ts";
import { createDatabase, type TestDatabase } from "./database.ts";
import type { Fixture } from "./postgres.ts";

/** Registers the hooks; the returned function gives the database inside tests. With the cast (actors.ts) unless told otherwise. */
export function suiteDatabase(
  { fixture = "plain", cast = true }: { fixture?: Fixture; cast?: boolean } = {},
): () => TestDatabase {
  let database: TestDatabase | undefined;
  Deno.test.beforeAll(async () => {
    database = await createDatabase({ fixture });
    if (cast) await arrangeCast(database.sql);
  });
  Deno.test.afterAll(() => database?.drop());
  return () => database!;
}
