import assert from "node:assert/strict";
import { Act } from "../../functions/widget/account_contract.ts";

Deno.test("account contract: an act is known by its name, and takes nothing that it does not name", () => {
  const taken = (act: unknown) => Act.safeParse(act).success;
  assert.ok(taken({ action: "prove", proof: { method: "totp", code: "123456" } }));
  assert.ok(!taken({ action: "prove", proof: { method: "totp", password: "x" } }));
  assert.ok(!taken({ action: "remove_key", id: "1", userId: "2" }), "whose it is says the session");
  assert.ok(!taken({ action: "delete_account" }));
});
