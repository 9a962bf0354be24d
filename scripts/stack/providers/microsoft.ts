/**
 * Microsoft's identity platform: the issuer names the directory (`…/{tid}/v2.0`), and the discovery document of `common` says
 * `{tenantid}` in its place; no email_verified; who somebody is comes from Graph, without a mailbox `mail` is null.
 */
import { type Client, CodeFlow, type Granted } from "./code_flow.ts";
import { IdTokens } from "./id_tokens.ts";
import { json } from "./page.ts";
import { uuidOf } from "./people.ts";
import type { Host } from "./server.ts";

const origin = "https://login.microsoftonline.com";
/** The one directory that there is. */
export const directoryId = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
const several = new Set(["common", "organizations", "consumers"]);

export async function microsoft(clients: Client[], base: string): Promise<Record<string, Host>> {
  const flow = new CodeFlow(
    "Microsoft",
    clients,
    "AADSTS50011: The redirect URI specified in the request does not match.",
  );
  const tokens = await IdTokens.make();

  const login: Host = async (exchange) => {
    const [, tenant = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(exchange.path) ?? [];
    if (!several.has(tenant) && tenant !== directoryId) {
      return json(
        {
          error: "invalid_tenant",
          error_description: `AADSTS90002: Tenant '${tenant}' not found.`,
        },
        400,
      );
    }
    const action = `${base}/login.microsoftonline.com/${tenant}/login`;
    switch (rest) {
      case "/v2.0/.well-known/openid-configuration":
        return json(discovery(tenant));
      case "/discovery/v2.0/keys":
        return json(tokens.keys);
      case "/oauth2/v2.0/authorize":
        return flow.authorize(exchange, action);
      case "/login":
        return await flow.signIn(exchange, action);
      case "/oauth2/v2.0/token": {
        const granted = await flow.redeem(exchange);
        if (typeof granted === "string") return refusal(granted);
        return json({
          token_type: "Bearer",
          scope: granted.scope.join(" "),
          expires_in: 3599,
          access_token: flow.token(granted, "EwB"),
          id_token: await tokens.sign(await claimsOf(granted)),
        });
      }
    }
    return null;
  };

  return {
    "login.microsoftonline.com": login,
    "graph.microsoft.com": async (exchange) => {
      const granted = flow.bearer(exchange);
      if (!granted?.scope.includes("User.Read")) {
        return json({ error: { code: "InvalidAuthenticationToken" } }, 401);
      }
      return exchange.path === "/v1.0/me" ? json(await graphOf(granted)) : null;
    },
  };
}

function discovery(tenant: string) {
  const at = `${origin}/${tenant}`;
  return {
    issuer: `${origin}/${several.has(tenant) ? "{tenantid}" : tenant}/v2.0`,
    authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
    token_endpoint: `${at}/oauth2/v2.0/token`,
    userinfo_endpoint: "https://graph.microsoft.com/oidc/userinfo",
    jwks_uri: `${at}/discovery/v2.0/keys`,
    response_types_supported: ["code"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

async function claimsOf({ person, client, nonce }: Granted) {
  return {
    iss: `${origin}/${directoryId}/v2.0`,
    aud: client.id,
    sub: await uuidOf("sub", person.key, client.id), // another at each application
    oid: await uuidOf("oid", person.key),
    tid: directoryId,
    ver: "2.0",
    name: `${person.givenName} ${person.familyName}`,
    preferred_username: principalOf(person.key),
    ...(nonce ? { nonce } : {}),
  };
}

const principalOf = (key: string) => `${key}@acme.onmicrosoft.example`;

const graphOf = async ({ person }: Granted) => ({
  id: await uuidOf("oid", person.key),
  displayName: `${person.givenName} ${person.familyName}`,
  givenName: person.givenName,
  surname: person.familyName,
  userPrincipalName: principalOf(person.key),
  mail: person.key === "alan" ? null : person.email, // anybody's administrator may write anything here
  preferredLanguage: null,
  businessPhones: [],
});

function refusal(why: string): Response {
  if (why === "client") {
    return json({
      error: "unauthorized_client",
      error_description: "AADSTS700016: Application not found.",
    }, 400);
  }
  if (why === "secret") {
    return json({
      error: "invalid_client",
      error_description: "AADSTS7000215: Invalid client secret provided.",
    }, 401);
  }
  return json(
    { error: "invalid_grant", error_description: "AADSTS70008: The code is not valid." },
    400,
  );
}
