// TOK, TNT, WHO: which token, which client, which tenant, on both kinds of Postgres.
import assert from "node:assert/strict";
import { fixtures } from "../support/postgres.ts";
import { createDatabase } from "../support/database.ts";
import { arrangeCast } from "../support/actors.ts";
import { tokenOutcome } from "./attacks_outcome.ts";
import { tokenCases } from "./attacks_tokens.ts";

for (const fixture of fixtures) {
  Deno.test(`a token does what it should and no more (${fixture})`, async (t) => {
    await using database = await createDatabase({ fixture });
    await arrangeCast(database.sql);
    for (const one of tokenCases) {
      await t.step(`${one.id} ${one.attack}: ${one.expected}`, async () => {
        assert.equal(await tokenOutcome(database.sql, one), one.expected);
      });
    }
  });
}
