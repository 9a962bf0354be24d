/**
 * Authorization Code with PKCE as the customer's page sees it: start, and take the answer.
 *
 * What ties the two together (state, nonce, verifier) lives in the page's own `sessionStorage`, so an answer
 * that this tab did not ask for is never taken.
 */

import { base64url } from "./base/base64url.ts";

export interface AuthorizationRequest {
  issuer: string;
  clientId: string;
  redirectUri: string;
  /** Space-separated, `openid` included. */
  scope: string;
  /** The organization people sign in to; others are refused by ZITADEL too. */
  organization?: string;
  loginHint?: string;
  prompt?: string;
  uiLocales?: string;
  /** The answer is for the window that opened this one. */
  popup?: boolean;
}

/** What an answer must match, and what the exchange of its code needs. */
export interface Pending {
  issuer: string;
  clientId: string;
  redirectUri: string;
  nonce: string;
  codeVerifier: string;
  startedAt: number;
}

/** One request: what travels, and what stays here. */
export interface Started {
  state: string;
  codeChallenge: string;
  scope: string;
  pending: Pending;
}

/** What the page hands to its own server, which exchanges the code. */
export interface SignInResult extends Omit<Pending, "startedAt"> {
  code: string;
}

export interface SignInError {
  /** An OAuth error code, or `state_mismatch` or `issuer_mismatch`. */
  error: string;
  description: string;
}

const prefix = "gatehouse-login:";
/** By this a state is known as ours: other sign-ins on the same page keep their answers. */
const ours = "gatehouse.";
/** Our sign-in page sees it in the callback address, and hands that address to its opener instead of going there. */
const oursInPopup = "gatehouse.popup.";
const pendingForMs = 60 * 60 * 1000;

export const isPopupAnswer = (address: URL) =>
  address.searchParams.get("state")?.startsWith(oursInPopup) ?? false;

/** Makes state, nonce and verifier. */
export async function newRequest(request: AuthorizationRequest): Promise<Started> {
  const pending: Pending = {
    issuer: request.issuer.replace(/\/$/, ""),
    clientId: request.clientId,
    redirectUri: request.redirectUri,
    nonce: randomText(),
    codeVerifier: randomText(),
    startedAt: Date.now(),
  };
  return {
    state: (request.popup ? oursInPopup : ours) + randomText(),
    codeChallenge: await sha256(pending.codeVerifier),
    scope: request.organization
      ? `${request.scope} urn:zitadel:iam:org:id:${request.organization}`
      : request.scope,
    pending,
  };
}

/** Remembers what the answer must match and returns the address to go to. */
export async function startAuthorization(request: AuthorizationRequest): Promise<string> {
  const { state, codeChallenge, scope, pending } = await newRequest(request);
  forgetOldRequests();
  sessionStorage.setItem(prefix + state, JSON.stringify(pending));

  const url = new URL(`${pending.issuer}/oauth/v2/authorize`);
  const parameters: Record<string, string | undefined> = {
    response_type: "code",
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    scope,
    state,
    nonce: pending.nonce,
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
    login_hint: request.loginHint,
    prompt: request.prompt,
    ui_locales: request.uiLocales,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value) url.searchParams.set(name, value);
  }
  return url.href;
}

/**
 * Takes the answer out of an address this page was called with, once.
 * Undefined when the address carries none of ours: `state` with `code` or `error`.
 */
export function takeAnswer(address: URL): SignInResult | SignInError | undefined {
  const parameters = address.searchParams;
  const state = parameters.get("state");
  if (!state?.startsWith(ours) || !(parameters.has("code") || parameters.has("error"))) {
    return undefined;
  }
  const stored = sessionStorage.getItem(prefix + state);
  sessionStorage.removeItem(prefix + state);
  if (stored === null) {
    return { error: "state_mismatch", description: "This page did not ask for this answer" };
  }
  return readAnswer(parameters, JSON.parse(stored) as Pending);
}

/** The answer to one request; whether its state is that request's is known before. */
export function readAnswer(
  parameters: URLSearchParams,
  { startedAt, ...pending }: Pending,
): SignInResult | SignInError {
  if (Date.now() - startedAt > pendingForMs) {
    return { error: "state_mismatch", description: "The answer came too late" };
  }
  const issuer = parameters.get("iss"); // RFC 9207; absent when the issuer does not send it
  if (issuer !== null && issuer !== pending.issuer) {
    return { error: "issuer_mismatch", description: `The answer is from "${issuer}"` };
  }
  const code = parameters.get("code");
  if (code === null) {
    return {
      error: parameters.get("error") ?? "",
      description: parameters.get("error_description") ?? "",
    };
  }
  return { code, ...pending };
}

/** The same address without the answer, for the address bar and the history. */
export function withoutAnswer(address: URL): string {
  const clean = new URL(address);
  for (const name of ["code", "state", "iss", "error", "error_description"]) {
    clean.searchParams.delete(name);
  }
  return clean.href;
}

function forgetOldRequests(): void {
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith(prefix)) continue;
    const { startedAt } = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Partial<Pending>;
    if (startedAt === undefined || Date.now() - startedAt > pendingForMs) {
      sessionStorage.removeItem(key);
    }
  }
}

/** 256 random bits: 43 characters, the shortest verifier RFC 7636 allows. */
function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function sha256(text: string): Promise<string> {
  return base64url(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );
}
