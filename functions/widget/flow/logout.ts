/** Single sign-out: ZITADEL sends whoever signed out at an application here, with a token that says where to go on. */
import { createLocalJWKSet, errors, jwtVerify } from "jose";
import { z } from "zod";
import { check } from "../../_shared/body.ts";
import { Problem } from "../../_shared/problem.ts";
import type { WidgetParts } from "../parts.ts";
import type { WidgetClient } from "../clients.ts";
import { signOut } from "./accounts.ts";
import { newMemory, type Opener } from "./open.ts";
import { flowFor } from "./request.ts";

const Claims = z.object({
  post_logout_redirect_uri: z.string().optional(),
  logout_hint: z.string().optional(),
});

/** @throws {Problem} logout_refused */
export const openLogout: Opener<"logout"> = async (parts, c, { token }) => {
  const claims = check(await verify(parts, token), Claims);
  const memory = newMemory(parts, { mode: "page", ref: "logout" });
  const flow = await flowFor(parts, c, memory, {
    request: undefined,
    client: nobody,
    published: null,
  });
  const accounts = flow.remembered.list();
  const hint = claims.logout_hint?.toLowerCase();
  const meant = accounts.filter(({ loginName }) => loginName.toLowerCase() === hint);
  for (const account of meant.length > 0 ? meant : accounts) await signOut(flow, account);
  const continueUrl = claims.post_logout_redirect_uri;
  return { flow, state: { screen: "signed_out", ...(continueUrl ? { continueUrl } : {}) } };
};

/** Only the token says where to go: an address that merely stands beside it could be anybody's (open redirect). */
async function verify({ issuer, jwks }: WidgetParts, token: string): Promise<unknown> {
  const keys = createLocalJWKSet({ keys: await jwks() });
  try {
    const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"];
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      algorithms,
      requiredClaims: ["exp"],
      clockTolerance: 30,
    });
    return payload;
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError)) throw cause;
    throw new Problem(
      "logout_refused",
      "The sign-out is not asked for by the issuer, or too late",
      {
        cause,
      },
    );
  }
}

const nobody: WidgetClient = {
  kind: "account",
  tenantId: "",
  tenantName: "",
  tenantStatus: "active",
  organizationId: null,
  appId: null,
  appName: "",
  enabled: true,
  inlineEnabled: false,
  inlineOrigins: [],
};
