// Google: OpenID Connect over four hosts; a subject of 21 digits; no user name; an address that Google vouches for.
import { type Client, CodeFlow, type Granted } from "./code_flow.ts";
import { IdTokens } from "./id_tokens.ts";
import { type Exchange, json } from "./page.ts";
import type { Host } from "./server.ts";

const issuer = "https://accounts.google.com";

export async function google(clients: Client[], base: string): Promise<Record<string, Host>> {
  const flow = new CodeFlow("Google", clients, "Error 400: redirect_uri_mismatch");
  const tokens = await IdTokens.make();
  const action = `${base}/accounts.google.com/signin`;

  const claimsOf = ({ person, scope }: Granted) => ({
    sub: person.number,
    ...(scope.includes("profile")
      ? {
        name: `${person.givenName} ${person.familyName}`,
        given_name: person.givenName,
        family_name: person.familyName,
        picture: "https://lh3.googleusercontent.com/a/played",
      }
      : {}),
    ...(scope.includes("email")
      ? { email: person.email, email_verified: person.key !== "mallory" }
      : {}),
    ...(person.key === "mallory" ? {} : { hd: person.email.split("@")[1] }), // of a Workspace
  });

  return {
    "accounts.google.com": (exchange) => {
      switch (exchange.path) {
        case "/.well-known/openid-configuration":
          return json({
            issuer,
            authorization_endpoint: `${issuer}/o/oauth2/v2/auth`,
            token_endpoint: "https://oauth2.googleapis.com/token",
            userinfo_endpoint: "https://openidconnect.googleapis.com/v1/userinfo",
            jwks_uri: "https://www.googleapis.com/oauth2/v3/certs",
            response_types_supported: ["code"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"],
            scopes_supported: ["openid", "email", "profile"],
            code_challenge_methods_supported: ["plain", "S256"],
          });
        case "/o/oauth2/v2/auth":
          return flow.authorize(exchange, action);
        case "/signin":
          return flow.signIn(exchange, action);
      }
      return null;
    },
    "oauth2.googleapis.com": async (exchange) => {
      if (exchange.path !== "/token") return null;
      const granted = await flow.redeem(exchange);
      if (typeof granted === "string") return refusal(granted);
      const claims = {
        ...claimsOf(granted),
        iss: issuer,
        aud: granted.client.id,
        azp: granted.client.id,
      };
      return json({
        access_token: flow.token(granted, "ya29."),
        expires_in: 3599,
        scope: granted.scope.join(" "),
        token_type: "Bearer",
        id_token: await tokens.sign(granted.nonce ? { ...claims, nonce: granted.nonce } : claims),
      });
    },
    "openidconnect.googleapis.com": (exchange: Exchange) => {
      const granted = flow.bearer(exchange);
      if (!granted) {
        return json({ error: "invalid_request", error_description: "Invalid Credentials" }, 401);
      }
      return json(claimsOf(granted));
    },
    "www.googleapis.com": ({ path }) => path === "/oauth2/v3/certs" ? json(tokens.keys) : null,
  };
}

function refusal(why: string): Response {
  if (why === "client") {
    return json(
      { error: "invalid_client", error_description: "The OAuth client was not found." },
      401,
    );
  }
  if (why === "secret") {
    return json({ error: "invalid_client", error_description: "Unauthorized" }, 401);
  }
  if (why === "redirect_uri") {
    return json({ error: "redirect_uri_mismatch", error_description: "Bad Request" }, 400);
  }
  return json({ error: "invalid_grant", error_description: "Bad Request" }, 400);
}
