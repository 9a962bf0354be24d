// An authorization request of the demo's storefront by hand, for what its own button never asks (OpenID Connect Core, 3.1.2.1).
import type { Page } from "playwright-core";
import type { Here } from "./demo.ts";

export interface Landed {
  code: boolean;
  error: string | null;
}

/** Goes to the issuer; what page comes of it is for the caller to see. */
export async function authorize(
  page: Page,
  { facts: { issuer, storefrontUrl }, demo: { tenant } }: Pick<Here, "facts" | "demo">,
  more: Record<string, string> = {},
): Promise<void> {
  const url = new URL(`${issuer}/oauth/v2/authorize`);
  url.search = new URLSearchParams({
    ...{ client_id: tenant.clientId, redirect_uri: `${storefrontUrl}/`, response_type: "code" },
    ...{ scope: `openid urn:zitadel:iam:org:id:${tenant.organizationId}`, state: "by-hand" },
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", // RFC 7636, appendix B
    code_challenge_method: "S256",
    ...more,
  }).toString();
  await page.goto(url.href);
}

/** What the storefront is answered in the end. */
export async function landed(page: Page): Promise<Landed> {
  await page.waitForURL(({ searchParams }) => searchParams.get("state") === "by-hand");
  const { searchParams } = new URL(page.url());
  return { code: searchParams.has("code"), error: searchParams.get("error") };
}
