/** ZITADEL's OAuth endpoints, as an application's own server speaks to them: no credential of ours, only the application's. */
import { apiAddress } from "./address.ts";
import { ZitadelError } from "./errors.ts";
import type { ZitadelAddress } from "./types.ts";

/** Who asks: a public client by its id, a confidential one by the `authorization` header (Basic) that it came with. */
export interface OAuthClient {
  clientId: string;
  authorization?: string | undefined;
}

/** As the token endpoint says it (RFC 6749, 5.1; OpenID Connect Core, 3.1.3.3). */
export interface TokenAnswer {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
}

/**
 * @throws {ZitadelError} `failed_precondition`: the code or token is used, run out, revoked or another client's;
 *   `unauthenticated`: the client is not who it says; `invalid_argument`: anything else that ZITADEL refuses
 */
export interface OAuthCalls {
  exchangeCode(
    client: OAuthClient,
    input: { code: string; redirectUri: string; codeVerifier: string },
  ): Promise<TokenAnswer>;
  /** Good once: the answer has its successor. */
  refresh(client: OAuthClient, refreshToken: string): Promise<TokenAnswer>;
  /** RFC 7009: also of a token that is none, or none any more. */
  revoke(client: OAuthClient, refreshToken: string): Promise<void>;
}

export function oauth(config: ZitadelAddress): OAuthCalls {
  const post = (path: string, client: OAuthClient, form: Record<string, string>) =>
    send(config, path, client, form);
  return {
    exchangeCode: (client, { code, redirectUri, codeVerifier }) =>
      post("/oauth/v2/token", client, {
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      }).then(readTokens),
    refresh: (client, refreshToken) =>
      post("/oauth/v2/token", client, {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
      }).then(readTokens),
    async revoke(client, refreshToken) {
      await post("/oauth/v2/revoke", client, {
        token: refreshToken,
        token_type_hint: "refresh_token",
      });
    },
  };
}

async function send(
  config: ZitadelAddress,
  path: string,
  { clientId, authorization }: OAuthClient,
  form: Record<string, string>,
): Promise<Record<string, unknown>> {
  const { url, headers } = apiAddress(config);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        ...headers,
        accept: "application/json",
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: new URLSearchParams(
        authorization === undefined ? { client_id: clientId, ...form } : form,
      ),
      redirect: "error",
      signal: AbortSignal.timeout(10_000),
    });
    text = await response.text();
  } catch (cause) {
    throw new ZitadelError({
      code: "unavailable",
      message: `ZITADEL's ${path} cannot be reached`,
      cause,
    });
  }
  const answer = parse(text);
  if (response.ok) return answer;
  throw new ZitadelError({
    code: response.status >= 500
      ? "unavailable"
      : codes[String(answer.error)] ?? "invalid_argument",
    message: `ZITADEL's ${path} refuses: ${answer.error ?? response.status}`,
    httpStatus: response.status,
  });
}

/** RFC 6749, 5.2. */
const codes: Record<string, ZitadelError["code"]> = {
  invalid_grant: "failed_precondition",
  invalid_client: "unauthenticated",
  unauthorized_client: "unauthenticated",
};

function parse(text: string): Record<string, unknown> {
  try {
    const json = JSON.parse(text);
    return typeof json === "object" && json !== null ? json : {};
  } catch {
    return {};
  }
}

function readTokens(answer: Record<string, unknown>): TokenAnswer {
  if (typeof answer.access_token !== "string" || typeof answer.expires_in !== "number") {
    throw new ZitadelError({ code: "internal", message: "ZITADEL's token answer has no token" });
  }
  return answer as unknown as TokenAnswer;
}
