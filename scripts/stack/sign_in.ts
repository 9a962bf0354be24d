// Signs somebody in without a browser, over the same requests a browser makes: authorize with PKCE, the widget's JSON API, the token.
// Used to seed the demo, and by tests.
import * as oauth from "oauth4webapi";
import type { State } from "../../functions/widget/contract.ts";

export interface SignIn {
  issuer: string;
  functionsUrl: string;
  clientId: string;
  redirectUri: string;
  /** Space-separated, `openid` included. */
  scope: string;
  loginName: string;
  password: string;
}

export interface Tokens {
  accessToken: string;
  idToken: string;
  /** Of the ID token, validated but for its signature. */
  claims: oauth.IDToken;
  refreshToken?: string | undefined;
}

/** A refusal on the way: `slug` is the widget's problem, the screen that asks for more, or the OAuth error. */
export class SignInRefused extends Error {
  override name = "SignInRefused";
  constructor(readonly slug: string, detail: string) {
    super(`${slug}: ${detail}`);
  }
}

/** @throws {SignInRefused} */
export async function signIn(input: SignIn): Promise<Tokens> {
  const loopback = { [oauth.allowInsecureRequests]: new URL(input.issuer).protocol === "http:" };
  const issuer = new URL(input.issuer);
  const server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, loopback),
  );
  const client: oauth.Client = { client_id: input.clientId };
  const codeVerifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();

  const signInPage = await authorize(server, input, {
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
  });
  const callback = await sendPassword(input, signInPage);
  const answer = oauth.validateAuthResponse(server, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    answer,
    input.redirectUri,
    codeVerifier,
    loopback,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  return {
    accessToken: tokens.access_token,
    idToken: tokens.id_token!,
    claims: oauth.getValidatedIdTokenClaims(tokens)!,
    refreshToken: tokens.refresh_token,
  };
}

/** The sign-in page's address, which names the authorization request. */
async function authorize(
  server: oauth.AuthorizationServer,
  { clientId, redirectUri, scope }: SignIn,
  more: Record<string, string>,
): Promise<URL> {
  const url = new URL(server.authorization_endpoint!);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    code_challenge_method: "S256",
    ...more,
  }).toString();
  const response = await fetch(url, { redirect: "manual" });
  const text = await response.text();
  const location = response.headers.get("location");
  if (location === null) throw new SignInRefused("authorize_refused", text.slice(0, 300));
  const target = new URL(location, url);
  if (target.searchParams.has("authRequest")) return target;
  throw new SignInRefused(
    target.searchParams.get("error") ?? "authorize_refused",
    target.searchParams.get("error_description") ?? location,
  );
}

async function sendPassword(
  { functionsUrl, loginName, password }: SignIn,
  signInPage: URL,
): Promise<URL> {
  const page = await fetch(signInPage, { redirect: "manual" });
  await page.body?.cancel();
  const flow = signInPage.searchParams.get("authRequest")!;
  let cookie = cookieOf(page)!;
  // What the flow has proven lies in the cookie, which each answer sets anew.
  const post = async (path: string, body: object): Promise<{ state: State }> => {
    const response = await fetch(`${functionsUrl}/widget/flows/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin: new URL(functionsUrl).origin,
        "x-gatehouse-flow": flow,
        cookie,
      },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) {
      throw new SignInRefused(String(answer.type).split(":").pop() ?? "", String(answer.detail));
    }
    cookie = cookieOf(response) ?? cookie;
    return answer;
  };
  await post("open", { mode: "page", authRequest: flow });
  let { state } = await post("act", { action: "password", loginName, password });
  const offered = state.screen === "setup_factor" && state.skippable;
  if (offered) ({ state } = await post("act", { action: "skip" }));
  if (state.screen === "done") return new URL(state.callbackUrl);
  throw new SignInRefused(state.screen, "The sign-in asks for more than a password");
}

const cookieOf = (response: Response) =>
  response.headers.getSetCookie().find((line) => line.startsWith("gatehouse_flow_"))
    ?.split(";")[0];
