// The tests of who may are themselves tested: a weakened policy or function does not pass them.
// A sample here, the same one each time unless GATEHOUSE_TEST_SEED says otherwise; all of them with FULL=1 (`deno task test:full`) or `deno task db:mutate`.
import assert from "node:assert/strict";
import { createDatabase } from "../../support/database.ts";
import { equivalent } from "./equivalent.ts";
import { weakenings } from "./function_mutants.ts";
import { functionMutants } from "./function_mutants.ts";
import { mutate, summary } from "./mutation.ts";
import { policyMutants, weaken, withoutOnePart } from "./policy_mutants.ts";
import { survivors } from "./run.ts";

const full = Deno.env.get("FULL") === "1";
const seed = Number(Deno.env.get("GATEHOUSE_TEST_SEED") ?? 1);

Deno.test("no weakened policy and no weakened function passes the tests of who may", async () => {
  const verdicts = await mutate(full ? {} : { policies: 30, functions: 10, seed });
  assert.equal(
    survivors(verdicts).join("\n"),
    "",
    `GATEHOUSE_TEST_SEED=${seed} ${summary(verdicts)}`,
  );
});

Deno.test("every reason for an equivalent mutant is about a mutant that there is", async () => {
  await using database = await createDatabase();
  const names = [
    ...await policyMutants(database.sql),
    ...await functionMutants(database.sql),
  ].map(({ name }) => name);
  const idle = equivalent.filter(({ mutant }) => !names.some((name) => mutant.test(name)));
  assert.deepEqual(idle.map(({ mutant }) => String(mutant)), []);
});

Deno.test("each operand of each and and or is left out once", () => {
  const parts = withoutOnePart("((a = 'x and y') OR (b AND ((c) or (d))))");
  assert.deepEqual(parts.map(([part]) => part), [
    "(a = 'x and y')",
    "(b AND ((c) or (d)))",
    "b",
    "((c) or (d))",
    "(c)",
    "(d)",
  ]);
  assert.equal(parts[0]![1], "(b AND ((c) or (d)))");
});

Deno.test("a right is exchanged for others, and everything becomes true", () => {
  const rights = ["tenants.read", "apps.read", "apps.write"];
  assert.deepEqual(weaken("f('apps.write'::text)", rights), [
    ["→ true", "true"],
    ["apps.write → apps.read", "f('apps.read'::text)"],
    ["apps.write → tenants.read", "f('tenants.read'::text)"],
  ]);
});

Deno.test("conditions are found where they stand, and not in texts", () => {
  const code = `
    if a then perform private.refuse(401, 'x', 'only if asked'); end if;
    select b into c from d join e on f = g where h = (select i where j) limit 1;`;
  assert.deepEqual([...weakenings(code)].map(([what]) => what), [
    "if a → false",
    "on f = g → true",
    "where h = (select i where j) → true",
    "where j → true",
    "without perform private.refuse(401, 'x', 'only if asked');",
  ]);
});
