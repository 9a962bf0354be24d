// Passkeys that are asked for: of nobody in the form of somebody's, of somebody new though reads lag behind.
import assert from "node:assert/strict";
import type { Action } from "../../../functions/widget/contract.ts";
import { derivedKeys } from "../../../functions/widget/cookie_keys.ts";
import { appOf, makeWorld, ownOrigin, Visitor } from "./world_support.ts";
import { assertionOf } from "./world.ts";

interface Asked {
  challenge: string;
  allowCredentials: { id: string }[];
}

/** 32 bytes in base64url without padding (WebAuthn level 3, 5.1: `Base64URLString`). */
const bytes32 = /^[A-Za-z0-9_-]{43}$/;

Deno.test("widget flows: nobody's passkey is asked for in the form of somebody's", async () => {
  const { pseudonym } = derivedKeys(() => Promise.resolve("a token"));
  const world = makeWorld();
  const visitor = new Visitor(appOf(world, { pseudonym }));
  const { moment } = await visitor.arrive(world.request({}));
  const { state } = await visitor.act(moment, { action: "passkey", loginName: "nobody" });
  assert.ok(state?.screen === "passkey");
  const { challenge, allowCredentials } = state.options as unknown as Asked;
  assert.match(challenge, bytes32);
  assert.equal(allowCredentials.length, 1);
  assert.match(allowCredentials[0]!.id, bytes32);
});

Deno.test("widget flows: a passkey that was just made is asked for, though ZITADEL's reads do not show it yet", async () => {
  const world = makeWorld();
  const nothing = () => Promise.resolve([]);
  const late = new Proxy(world.client(), {
    get: (client, name) => name === "authenticationMethods" ? nothing : Reflect.get(client, name),
  });
  const visitor = new Visitor(appOf(world, { zitadel: late }));
  let { moment } = await visitor.arrive(world.request({}));
  const act = async (action: Action, screen: string) => {
    const answer = await visitor.act(moment, action);
    assert.equal(answer.state?.screen, screen, answer.slug ?? "");
    moment = answer.moment;
    return answer.state;
  };
  const pia = { givenName: "Pia", familyName: "New", email: "pia@new.example" };
  await act({ action: "show_register" }, "register");
  await act({ action: "register", ...pia }, "verify_email");
  await act({ action: "code", code: world.mails.at(-1)!.code! }, "setup_passkey");
  const made = JSON.stringify({ type: "webauthn.create", challenge: "c", origin: ownOrigin });
  const clientDataJSON = new TextEncoder().encode(made).toBase64({ alphabet: "base64url" });
  const credential = {
    ...{ id: "piaskey", rawId: "piaskey", type: "public-key" as const },
    response: { clientDataJSON, attestationObject: "" },
  };
  const asked = await act({ action: "credential", credential }, "passkey");
  assert.ok(asked?.screen === "passkey");
  const { challenge, allowCredentials } = asked.options as unknown as Asked;
  assert.deepEqual(allowCredentials.map(({ id }) => id), ["piaskey"]);
  const shown = assertionOf("piaskey", challenge, { verified: true, origin: ownOrigin });
  await act({ action: "credential", credential: shown as never }, "done");
});
