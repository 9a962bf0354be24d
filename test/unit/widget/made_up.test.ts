// A challenge that was made up looks like a real one, and a browser can read it.
import assert from "node:assert/strict";
import { derivedKeys } from "../../../functions/widget/cookie_keys.ts";
import { appOf, makeWorld, Visitor } from "./world_support.ts";

/** 32 bytes in base64url without padding (WebAuthn level 3, 5.1: `Base64URLString`). */
const bytes32 = /^[A-Za-z0-9_-]{43}$/;

Deno.test("widget flows: nobody's passkey is asked for in the form of somebody's", async () => {
  const { pseudonym } = derivedKeys(() => Promise.resolve("a token"));
  const world = makeWorld();
  const visitor = new Visitor(appOf(world, { pseudonym }));
  const { moment } = await visitor.arrive(world.request({}));
  const { state } = await visitor.act(moment, { action: "passkey", loginName: "nobody" });
  assert.ok(state?.screen === "passkey");
  const { challenge, allowCredentials } = state.options as {
    challenge: string;
    allowCredentials: { id: string }[];
  };
  assert.match(challenge, bytes32);
  assert.equal(allowCredentials.length, 1);
  assert.match(allowCredentials[0]!.id, bytes32);
});
