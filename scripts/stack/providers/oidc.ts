// An OpenID server of a company's own, such as Keycloak behind the wall: one host, Basic or PKCE, locale and user name.
import { type Client, CodeFlow, type Granted } from "./code_flow.ts";
import { IdTokens } from "./id_tokens.ts";
import { json } from "./page.ts";
import { uuidOf } from "./people.ts";
import type { Host } from "./server.ts";

export async function oidc(clients: Client[], issuer: string): Promise<Host> {
  const flow = new CodeFlow("Corporate sign-in", clients, "Invalid parameter: redirect_uri");
  const tokens = await IdTokens.make();
  const action = `${issuer}/signin`;

  return async (exchange) => {
    switch (exchange.path) {
      case "/.well-known/openid-configuration":
        return json({
          issuer,
          authorization_endpoint: `${issuer}/auth`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          jwks_uri: `${issuer}/certs`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
          scopes_supported: ["openid", "profile", "email"],
          code_challenge_methods_supported: ["S256"],
        });
      case "/auth":
        return flow.authorize(exchange, action);
      case "/signin":
        return await flow.signIn(exchange, action);
      case "/certs":
        return json(tokens.keys);
      case "/token": {
        const granted = await flow.redeem(exchange);
        if (typeof granted === "string") {
          const status = granted === "client" || granted === "secret" ? 401 : 400;
          return json({ error: status === 401 ? "invalid_client" : "invalid_grant" }, status);
        }
        const { client, nonce } = granted;
        return json({
          access_token: flow.token(granted, ""),
          token_type: "Bearer",
          expires_in: 300,
          id_token: await tokens.sign({
            ...await claimsOf(granted),
            iss: issuer,
            aud: client.id,
            ...(nonce ? { nonce } : {}),
          }),
        });
      }
      case "/userinfo": {
        const granted = flow.bearer(exchange);
        return granted ? json(await claimsOf(granted)) : json({ error: "invalid_token" }, 401);
      }
    }
    return null;
  };
}

const claimsOf = async ({ person }: Granted) => ({
  sub: await uuidOf("oidc", person.key),
  preferred_username: person.key,
  name: `${person.givenName} ${person.familyName}`,
  given_name: person.givenName,
  family_name: person.familyName,
  email: person.email,
  email_verified: person.key !== "mallory",
  locale: "en",
});
