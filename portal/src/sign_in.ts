/**
 * OpenID Connect Authorization Code with PKCE. Tokens live in this module's memory only: a reload asks ZITADEL again.
 * Between leaving and coming back, what the answer must match waits in `sessionStorage`.
 */
import * as oauth from "oauth4webapi";
import { type PortalConfig, portalUrl } from "./config.ts";

export interface SignedIn {
  name: string;
  /** A token with at least a few seconds to live, renewed when there is a refresh token. */
  accessToken(): Promise<string>;
  /** Ends ZITADEL's session too. */
  signOut(): void;
}

interface Pending {
  state: string;
  nonce: string;
  codeVerifier: string;
}

const pendingKey = "gatehouse-portal-sign-in";
const renewBeforeMs = 15_000;

export async function startSignIn(config: PortalConfig): Promise<void> {
  const server = await discover(config);
  const pending: Pending = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    codeVerifier: oauth.generateRandomCodeVerifier(),
  };
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  const url = new URL(server.authorization_endpoint!);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: config.clientId,
    redirect_uri: portalUrl,
    scope: config.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: "S256",
  }).toString();
  location.assign(url.href);
}

/** Who just came back from signing in; null when nobody did. Throws when the answer is not the one asked for. */
export async function finishSignIn(config: PortalConfig): Promise<SignedIn | null> {
  const address = new URL(location.href);
  if (!address.searchParams.has("state")) return null;
  const stored = sessionStorage.getItem(pendingKey);
  sessionStorage.removeItem(pendingKey);
  history.replaceState(null, "", portalUrl);
  if (stored === null) return null; // a reload of an old answer
  const pending = JSON.parse(stored) as Pending;

  const server = await discover(config);
  const client: oauth.Client = { client_id: config.clientId };
  const answer = oauth.validateAuthResponse(server, client, address, pending.state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    answer,
    portalUrl,
    pending.codeVerifier,
    options(config),
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: pending.nonce,
    requireIdToken: true,
  });
  return signedIn(config, server, client, tokens);
}

async function signedIn(
  config: PortalConfig,
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  tokens: oauth.TokenEndpointResponse,
): Promise<SignedIn> {
  const claims = oauth.getValidatedIdTokenClaims(tokens)!;
  const profile = await oauth.processUserInfoResponse(
    server,
    client,
    claims.sub,
    await oauth.userInfoRequest(server, client, tokens.access_token, options(config)),
  );
  const idToken = tokens.id_token!;
  let expiresAt = expiry(tokens);
  let renewal: Promise<void> | undefined;

  async function renew(refreshToken: string): Promise<void> {
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      oauth.None(),
      refreshToken,
      options(config),
    );
    tokens = await oauth.processRefreshTokenResponse(server, client, response);
    expiresAt = expiry(tokens);
  }

  return {
    name: String(profile.name ?? profile.preferred_username ?? claims.sub),
    async accessToken() {
      if (Date.now() > expiresAt - renewBeforeMs && tokens.refresh_token) {
        // A refresh token works once: requests that come at the same time share one renewal.
        renewal ??= renew(tokens.refresh_token).finally(() => renewal = undefined);
        await renewal;
      }
      return tokens.access_token;
    },
    signOut() {
      const url = new URL(server.end_session_endpoint!);
      url.searchParams.set("id_token_hint", idToken);
      url.searchParams.set("post_logout_redirect_uri", portalUrl);
      location.assign(url.href);
    },
  };
}

async function discover(config: PortalConfig): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(config.issuer);
  const response = await oauth.discoveryRequest(issuer, options(config));
  return await oauth.processDiscoveryResponse(issuer, response);
}

/** Only the embedded profile has an issuer without TLS, and it is on loopback. */
function options(config: PortalConfig) {
  return { [oauth.allowInsecureRequests]: config.issuer.startsWith("http://127.0.0.1:") };
}

function expiry(tokens: oauth.TokenEndpointResponse): number {
  return Date.now() + (tokens.expires_in ?? 60) * 1000;
}
