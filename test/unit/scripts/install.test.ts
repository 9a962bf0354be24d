import assert from "node:assert/strict";
import { staleness } from "../../../scripts/install.mjs";

const locked = {
  "": {},
  "node_modules/a": { integrity: "sha512-1" },
  "node_modules/b-darwin": { optional: true },
};

Deno.test("an install that is as locked is kept, parts for other platforms aside", () => {
  const installed = { "node_modules/a": { integrity: "sha512-1" } };
  assert.equal(staleness(installed, locked), undefined);
});

Deno.test("a missing, an interrupted and a changed install are done again", () => {
  assert.equal(staleness(undefined, locked), "node_modules is missing");
  assert.equal(staleness({}, locked), "node_modules/a is not as locked");
  const other = { "node_modules/a": { integrity: "sha512-2" } };
  assert.equal(staleness(other, locked), "node_modules/a is not as locked");
});
