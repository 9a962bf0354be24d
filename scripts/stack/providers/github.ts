/**
 * GitHub: OAuth without OpenID Connect. Errors come with status 200, tokens as a form unless JSON is asked for, one name, a private
 * address as null, and the addresses only at /user/emails with the scope user:email. An Enterprise Server has all of it at one host.
 */
import { type Client, CodeFlow, type Granted } from "./code_flow.ts";
import { type Exchange, json } from "./page.ts";
import { smallNumber } from "./people.ts";
import type { Host } from "./server.ts";

export function github(clients: Client[], base: string): Record<string, Host> {
  const flow = new CodeFlow(
    "GitHub",
    clients,
    "The redirect_uri is not associated with this application.",
  );

  const web = (action: string): Host => async (exchange) => {
    switch (exchange.path) {
      case "/login/oauth/authorize":
        return flow.authorize(exchange, action);
      case "/session":
        return await flow.signIn(exchange, action);
      case "/login/oauth/access_token":
        return answer(exchange, await tokenOf(exchange));
    }
    return null;
  };

  async function tokenOf(exchange: Exchange): Promise<Record<string, string>> {
    const granted = await flow.redeem(exchange);
    if (typeof granted === "string") {
      const error =
        { client: "incorrect_client_credentials", secret: "incorrect_client_credentials" }[
          granted as "client"
        ] ?? (granted === "redirect_uri" ? "redirect_uri_mismatch" : "bad_verification_code");
      return { error, error_description: "The code passed is incorrect or expired." };
    }
    return {
      access_token: flow.token(granted, "gho_"),
      scope: granted.scope.join(","),
      token_type: "bearer",
    };
  }

  const api: Host = (exchange) => {
    if (!exchange.headers.get("user-agent")) {
      return new Response("Request forbidden by administrative rules.", { status: 403 });
    }
    const granted = flow.bearer(exchange);
    if (!granted) return json({ message: "Bad credentials", status: "401" }, 401);
    if (exchange.path === "/user") return json(userOf(granted));
    if (exchange.path === "/user/emails") {
      const may = granted.scope.some((scope) => scope === "user" || scope === "user:email");
      return may ? json(emailsOf(granted)) : json({ message: "Not Found", status: "404" }, 404);
    }
    return null;
  };

  const enterprise = web(`${base}/github.corp/session`);
  return {
    "github.com": web(`${base}/github.com/session`),
    "api.github.com": api,
    "github.corp": (exchange) =>
      exchange.path.startsWith("/api/v3")
        ? api({ ...exchange, path: exchange.path.slice("/api/v3".length) })
        : enterprise(exchange),
  };
}

const userOf = ({ person }: Granted) => ({
  login: person.key,
  id: smallNumber(person),
  node_id: "MDQ6VXNlcjE=",
  type: "User",
  name: `${person.givenName} ${person.familyName}`,
  email: person.key === "alan" ? null : person.email, // alan keeps his private
  html_url: `https://github.com/${person.key}`,
});

const emailsOf = ({ person }: Granted) => [
  {
    email: person.email,
    primary: true,
    verified: person.key !== "mallory",
    visibility: person.key === "alan" ? "private" : "public",
  },
];

function answer(exchange: Exchange, body: Record<string, string>): Response {
  if (exchange.headers.get("accept")?.includes("json")) return json(body);
  return new Response(new URLSearchParams(body).toString(), {
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
  });
}
