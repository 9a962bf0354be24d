import assert from "node:assert/strict";
import fc from "fast-check";
import { derivedId } from "../../../functions/provision/ids.ts";
import { canonical, defineStep, inputHash, type Json } from "../../../functions/provision/step.ts";

Deno.test("the hash of an input does not depend on the order of its members", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
    const reversed = Object.fromEntries(Object.entries(members).reverse());
    assert.equal(inputHash(members as Json), inputHash(reversed as Json));
  }));
});

Deno.test("canonical JSON reads back as what it was", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.deepEqual(JSON.parse(canonical(value as Json)), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("inputs that differ in one list's order have different hashes", () => {
  assert.notEqual(inputHash({ uris: ["a", "b"] }), inputHash({ uris: ["b", "a"] }));
  assert.match(inputHash({}), /^[0-9a-f]{64}$/);
});

Deno.test("a derived id is a lowercase uuid, the same each time, another for another thing", () => {
  const id = derivedId("project", "018f0000-0000-7000-8000-000000000001");
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(id, derivedId("project", "018f0000-0000-7000-8000-000000000001"));
  assert.notEqual(id, derivedId("project", "018f0000-0000-7000-8000-000000000002"));
  assert.notEqual(derivedId("a", "bc"), derivedId("ab", "c"));
});

Deno.test("the ids that are in ZITADEL already stay what they are", () => {
  // A changed rule would make every project and administrator a second time.
  assert.equal(derivedId("project", "t"), "0946edfa-9fd9-884b-9244-f6a5d6372882");
});

Deno.test("a step with no input has nothing to do", () => {
  const step = defineStep<{ wanted: boolean }, { wanted: true }>({
    name: "wanted",
    input: ({ wanted }) => wanted ? { wanted } : null,
    run: () => Promise.resolve({ changed: false }),
  });
  assert.equal(step.plan({ wanted: false }), null);
  assert.deepEqual(step.plan({ wanted: true })?.input, { wanted: true });
});
