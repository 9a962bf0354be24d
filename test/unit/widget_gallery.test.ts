import assert from "node:assert/strict";
import { State } from "../../functions/widget/contract.ts";
import { screens } from "../../widget/src/screens/table.ts";
import { states } from "../gallery/states.ts";

Deno.test("widget: each screen of the contract has somebody who draws it, and a state in the gallery", () => {
  const named = State.options.map((option) => option.shape.screen.value).sort();
  assert.deepEqual(Object.keys(screens).sort(), named);
  assert.deepEqual([...new Set(Object.values(states).map(({ screen }) => screen))].sort(), named);
  for (const [name, state] of Object.entries(states)) {
    assert.deepEqual(State.parse(state), state, name);
    assert.equal(name.split(".")[0], state.screen);
  }
});
