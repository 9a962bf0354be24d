// A virtual authenticator in place of a finger (DevTools' domain WebAuthn).
import type { CDPSession, Page } from "playwright-core";

export interface Authenticator {
  cdp: CDPSession;
  id: string;
}

export async function authenticator(
  page: Page,
  more: Record<string, unknown> = {},
): Promise<Authenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId: id } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      ...more,
    },
  });
  return { cdp, id };
}

export type Kept = Awaited<ReturnType<typeof keptBy>>;

export async function keptBy({ cdp, id }: Authenticator) {
  return (await cdp.send("WebAuthn.getCredentials", { authenticatorId: id })).credentials;
}

/** The person's other device: it has what was made on the first, as one that keeps passkeys in step with it. */
export async function inStep(page: Page, kept: Kept): Promise<Authenticator> {
  const { cdp, id } = await authenticator(page);
  for (const credential of kept) {
    await cdp.send("WebAuthn.addCredential", { authenticatorId: id, credential });
  }
  return { cdp, id };
}
