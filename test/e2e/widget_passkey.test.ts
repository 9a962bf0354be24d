// Passkeys and security keys in Chromium, with a virtual authenticator in place of a finger.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Action, State } from "../../functions/widget/contract.ts";
import { en } from "../../widget/src/texts/en.ts";
import { states } from "../gallery/states.ts";
import { launch, visitor } from "./support/browser.ts";
import { authenticator } from "./support/passkeys.ts";
import { serveSignInPage, startState } from "./support/sign_in_page.ts";

type Credential = Extract<Action, { action: "credential" }>;

/** What `toJSON()` of the newest browsers is missing in those before: the widget's own few lines do it. */
const withoutJson = (page: Page) =>
  page.addInitScript(() => {
    const type = PublicKeyCredential as unknown as Record<string, unknown> & { prototype: unknown };
    delete type.parseCreationOptionsFromJSON;
    delete type.parseRequestOptionsFromJSON;
    delete (type.prototype as Record<string, unknown>).toJSON;
  });

for (const json of [true, false]) {
  Deno.test(`widget: a passkey is made and used${json ? "" : ", in a browser that knows no JSON of it"}`, async () => {
    await using server = serveSignInPage({
      open: states.setup_passkey!,
      act: (_, nth) => nth === 1 ? states.passkey! : states.finished!,
    });
    await using browser = await launch();
    const { page, assertClean } = await visitor(browser);
    if (!json) await withoutJson(page);
    const { cdp, id } = await authenticator(page);
    await page.goto(server.url);
    const make = page.getByRole("button", { name: en.passkeySetupTitle });
    await make.click(); // the next screen asks for it at once
    await page.getByRole("heading", { name: en.doneReset }).waitFor();

    const [made, used] = server.sent as [Credential, Credential];
    assert.equal(made.action, "credential");
    const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId: id });
    assert.equal(credentials.length, 1);
    assert.equal(made.credential.id, base64url(credentials[0]!.credentialId));
    assert.equal(made.credential.rawId, made.credential.id);
    assert.ok(made.credential.response.attestationObject);
    assert.deepEqual(made.credential.response.transports, ["internal"]);
    assert.deepEqual(clientData(made), {
      type: "webauthn.create",
      challenge: "q83vEjRWeJA",
      origin: server.origin,
    });
    assert.equal(used.credential.id, made.credential.id);
    assert.equal(clientData(used).type, "webauthn.get");
    for (const member of ["authenticatorData", "signature", "userHandle"]) {
      assert.match(String(used.credential.response[member]), /^[\w-]+$/, member);
    }
    assertClean();
  });
}

Deno.test("widget: whoever cancels may try again, or go back", async () => {
  await using server = serveSignInPage({ open: states.passkey!, act: () => startState });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await authenticator(page, { isUserVerified: false }); // as a finger that is not known
  await page.goto(server.url);
  await page.getByRole("alert").getByText(en.passkey_cancelled).waitFor();
  assert.deepEqual(server.sent, []);
  assert.equal(await page.getByRole("button", { name: en.usePasskey }).isEnabled(), true);
  await page.getByRole("button", { name: en.back }).click();
  await page.getByLabel(en.loginName).waitFor();
  assert.deepEqual(server.sent, [{ action: "back" }]);
  assertClean();
});

Deno.test("widget: while the device waits for a finger, the way back is open", async () => {
  await using server = serveSignInPage({ open: states["passkey.factor"]!, act: () => startState });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  const { cdp, id } = await authenticator(page);
  await cdp.send("WebAuthn.setAutomaticPresenceSimulation", {
    authenticatorId: id,
    enabled: false,
  });
  await page.goto(server.url);
  await page.getByRole("status").getByText(en.working).waitFor();
  await page.getByRole("button", { name: en.back }).click();
  await page.getByLabel(en.loginName).waitFor();
  assert.equal(await page.getByRole("alert").innerText(), "", "nobody is told of a fault");
  assert.deepEqual(server.sent, [{ action: "back" }]);
  assertClean();
});

Deno.test("widget: a device that holds one already says so", async () => {
  const setup = states.setup_passkey as Extract<State, { screen: "setup_passkey" }>;
  const again = (id: string): State => ({
    ...setup,
    options: { ...setup.options, excludeCredentials: [{ type: "public-key", id }] },
  });
  await using server = serveSignInPage({
    open: setup,
    act: (action) => again((action as Credential).credential.id as string),
  });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await authenticator(page);
  await page.goto(server.url);
  const make = page.getByRole("button", { name: en.passkeySetupTitle });
  const kept = page.waitForResponse(/flows\/act$/);
  await make.click();
  await kept;
  await make.click();
  await page.getByRole("alert").getByText(en.passkey_taken).waitFor();
  assert.equal(server.sent.length, 1);
  assertClean();
});

Deno.test("widget: a browser without passkeys is not offered any, and says so where one is asked", async () => {
  const noPasskeys = () => {
    delete (globalThis as unknown as Record<string, unknown>).PublicKeyCredential;
  };
  await using browser = await launch();
  {
    await using server = serveSignInPage({ open: states.start! });
    const { page, assertClean } = await visitor(browser);
    await page.addInitScript(noPasskeys);
    await page.goto(server.url);
    await page.getByRole("button", { name: en.useEmailCode }).waitFor();
    assert.equal(await page.getByRole("button", { name: en.usePasskey }).count(), 0);
    assertClean();
  }
  {
    await using server = serveSignInPage({ open: states["passkey.factor"]! });
    const { page, assertClean } = await visitor(browser);
    await page.addInitScript(noPasskeys);
    await page.goto(server.url);
    await page.getByRole("alert").getByText(en.passkey_unsupported).waitFor();
    await page.getByText(en.otherWays).click();
    await page.getByRole("button", { name: en.recovery_code }).waitFor();
    assertClean();
  }
});

function clientData({ credential }: Credential) {
  const text = String(credential.response.clientDataJSON);
  const { type, challenge, origin } = JSON.parse(
    new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" })),
  );
  return { type, challenge, origin };
}

const base64url = (base64: string) =>
  base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
