/** From a program's request to tokens, or to what is asked next. */
import type { Context, Hono } from "hono";
import type { z } from "zod";
import type { App } from "../../_shared/app.ts";
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { OAuthClient, TokenAnswer } from "../../_shared/zitadel/oauth.ts";
import { base64url } from "../base64url.ts";
import type { Action, Answer } from "../contract.ts";
import { asProblem } from "../flow/failures.ts";
import type { WidgetParts } from "../parts.ts";
import type { Forgot, Outcome, Tokens } from "./contract.ts";
import { type Engine, engineOf } from "./engine.ts";
import { openTicket, sealTicket, type Ticket } from "./ticket.ts";

export interface Asked {
  app: Hono<App>;
  c: Context<App>;
  parts: WidgetParts;
}

type Application = Omit<z.output<typeof Forgot>, "loginName">;
type Held = Omit<Ticket, "expiresAt"> & Partial<Ticket>;

/** Opens a flow for the application and does these in turn. */
export async function begin(
  asked: Asked,
  { clientId, redirectUri, scope, language }: Application,
  actions: Action[],
): Promise<Outcome> {
  const engine = engineOf(asked.app, asked.c);
  const codeVerifier = random();
  const state = random();
  const { flow } = await engine.open({
    mode: "inline",
    clientId,
    redirectUri,
    codeChallenge: base64url(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier)),
    ),
    state,
    nonce: random(), // the token comes from the issuer itself, on the same connection as the code was given for
    scope,
    ...(language === undefined ? {} : { language }),
  });
  return await perform(
    asked,
    engine,
    { flow, clientId, redirectUri, codeVerifier, state },
    actions,
  );
}

/** @throws {Problem} ticket_refused, and what the flow refuses with; the ticket stays good then */
export async function goOn(asked: Asked, text: string, action: Action): Promise<Outcome> {
  const ticket = await openTicket(asked.parts, text);
  return await perform(asked, engineOf(asked.app, asked.c), ticket, [action]);
}

async function perform(
  asked: Asked,
  engine: Engine,
  held: Held,
  actions: Action[],
): Promise<Outcome> {
  let answer: Answer | undefined;
  for (const action of actions) {
    answer = await engine.act(answer?.flow ?? held.flow, action);
  }
  const { flow, state } = answer!;
  if (state.screen !== "done") {
    return { status: "next", ticket: await sealTicket(asked.parts, { ...held, flow }), state };
  }
  return { status: "signed_in", tokens: await exchange(asked, held, state.callbackUrl) };
}

async function exchange({ c, parts }: Asked, held: Held, callbackUrl: string): Promise<Tokens> {
  const answer = new URL(callbackUrl).searchParams;
  const code = answer.get("code");
  if (code === null || answer.get("state") !== held.state) {
    throw new Problem(
      "authorize_refused",
      `The issuer gives no code: ${answer.get("error") ?? "none"}`,
    );
  }
  const { redirectUri, codeVerifier } = held;
  const client = clientOf(c, held.clientId);
  return readTokens(
    await parts.oauth.exchangeCode(client, { code, redirectUri, codeVerifier })
      .catch((error) => refuseClient(error)),
  );
}

export function clientOf(c: Context<App>, clientId: string): OAuthClient {
  const authorization = c.req.header("authorization");
  return /^basic /i.test(authorization ?? "") ? { clientId, authorization } : { clientId };
}

export function refuseClient(error: unknown): never {
  if (isZitadelError(error, "unauthenticated")) {
    throw new Problem("client_credentials_refused", "The issuer does not take the client", {
      cause: error,
    });
  }
  throw asProblem(error);
}

export const readTokens = (answer: TokenAnswer): Tokens => ({
  accessToken: answer.access_token,
  tokenType: "Bearer",
  expiresIn: answer.expires_in,
  ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
  ...(answer.id_token === undefined ? {} : { idToken: answer.id_token }),
});

/** 256 bits, as RFC 7636 wants of a verifier. */
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)).buffer);
