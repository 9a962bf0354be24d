// What ZITADEL asks of authenticators and what a browser answers, word for word: Chromium with virtual authenticators, no page of ours.
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { Suite } from "../contract/support.ts";
import { chromiumPath, quiet } from "./support/browser.ts";

const lifetimeSeconds = 600;
const domain = "localhost"; // an address in numbers is no relying party

Deno.test("a passkey and a security key of a browser are registered and shown", async () => {
  await using s = await Suite.open();
  const { userId } = await s.tenant("browser");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
  );
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      ...quiet.filter((flag) => !flag.startsWith("--host-resolver-rules")),
      "--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.addr.port}/`);
    await withAuthenticator(page, { protocol: "ctap2", hasUserVerification: true }, async () => {
      const { passkeyId, options } = await s.login.startPasskey(userId, { domain });
      const credential = await create(page, options);
      await s.login.finishPasskey(userId, { passkeyId, name: "Chromium", credential });
      const started = await s.login.createSession({
        userId,
        challenges: { webAuthn: { domain, userVerification: "required" } },
        lifetimeSeconds,
      });
      const webAuthn = await get(page, started.challenges.webAuthn!);
      const done = await s.login.setSession({ sessionId: started.sessionId, webAuthn });
      await s.settle();
      const [factor] = (await s.login.getSession(done)).otherFactors;
      assert.ok(factor?.kind === "web_authn" && factor.userVerified);
    });
    await withAuthenticator(page, { protocol: "u2f", hasUserVerification: false }, async () => {
      const { u2fId, options } = await s.login.startU2f(userId, { domain });
      const credential = await create(page, options);
      await s.login.finishU2f(userId, { u2fId, name: "a key", credential });
      const { sessionId } = await s.session(userId);
      const asked = await s.login.setSession({
        sessionId,
        challenges: { webAuthn: { domain, userVerification: "discouraged" } },
      });
      const webAuthn = await get(page, asked.challenges.webAuthn!);
      const done = await s.login.setSession({ sessionId, webAuthn });
      await s.settle();
      const [factor] = (await s.login.getSession(done)).otherFactors;
      assert.ok(factor?.kind === "web_authn" && !factor.userVerified);
    });
  } finally {
    await browser.close();
  }
});

async function withAuthenticator(
  page: Page,
  { protocol, hasUserVerification }: { protocol: "ctap2" | "u2f"; hasUserVerification: boolean },
  run: () => Promise<void>,
): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol,
      transport: protocol === "u2f" ? "usb" : "internal",
      hasResidentKey: protocol === "ctap2",
      hasUserVerification,
      isUserVerified: hasUserVerification,
      automaticPresenceSimulation: true,
    },
  });
  await run();
  await devtools.send("WebAuthn.disable");
  await devtools.detach();
}

const create = (page: Page, options: PublicKeyCredentialCreationOptionsJSON) =>
  page.evaluate(async (json) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
    const made = await navigator.credentials.create({ publicKey }) as PublicKeyCredential;
    return made.toJSON() as RegistrationResponseJSON;
  }, options);

const get = (page: Page, options: PublicKeyCredentialRequestOptionsJSON) =>
  page.evaluate(async (json) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
    const shown = await navigator.credentials.get({ publicKey }) as PublicKeyCredential;
    return shown.toJSON() as AuthenticationResponseJSON;
  }, options);
