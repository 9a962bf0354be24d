/**
 * Authorization Code with PKCE as the customer's page sees it: start, and take the answer.
 *
 * What ties the two together (state, nonce, verifier) lives in the page's own `sessionStorage`, so an answer
 * that this tab did not ask for is never taken.
 */

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
}

interface Pending {
  issuer: string;
  clientId: string;
  redirectUri: string;
  nonce: string;
  codeVerifier: string;
  startedAt: number;
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
const pendingForMs = 60 * 60 * 1000;

/** Remembers what the answer must match and returns the address to go to. */
export async function startAuthorization(request: AuthorizationRequest): Promise<string> {
  const state = ours + randomText();
  const pending: Pending = {
    issuer: request.issuer.replace(/\/$/, ""),
    clientId: request.clientId,
    redirectUri: request.redirectUri,
    nonce: randomText(),
    codeVerifier: randomText(),
    startedAt: Date.now(),
  };
  forgetOldRequests();
  sessionStorage.setItem(prefix + state, JSON.stringify(pending));

  const url = new URL(`${pending.issuer}/oauth/v2/authorize`);
  const scope = request.organization
    ? `${request.scope} urn:zitadel:iam:org:id:${request.organization}`
    : request.scope;
  const parameters: Record<string, string | undefined> = {
    response_type: "code",
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    scope,
    state,
    nonce: pending.nonce,
    code_challenge: await sha256(pending.codeVerifier),
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
  const code = parameters.get("code");
  const error = parameters.get("error");
  if (!state?.startsWith(ours) || (code === null && error === null)) return undefined;

  const stored = sessionStorage.getItem(prefix + state);
  sessionStorage.removeItem(prefix + state);
  if (stored === null) {
    return { error: "state_mismatch", description: "This page did not ask for this answer" };
  }
  const { startedAt, ...pending } = JSON.parse(stored) as Pending;
  if (Date.now() - startedAt > pendingForMs) {
    return { error: "state_mismatch", description: "The answer came too late" };
  }
  const issuer = parameters.get("iss"); // RFC 9207; absent when the issuer does not send it
  if (issuer !== null && issuer !== pending.issuer) {
    return { error: "issuer_mismatch", description: `The answer is from "${issuer}"` };
  }
  if (code === null) {
    return { error: error ?? "", description: parameters.get("error_description") ?? "" };
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

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
