/**
 * The certified library between ZITADEL's paths and ZITADEL's token shapes.
 * Next: authorize.ts (the way in), claims.ts (what tokens say), endpoints.ts (userinfo, introspection, logout).
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { JWK } from "jose";
import type { OidcSession, Session } from "../model.ts";
import type { OidcSide } from "../service.ts";
import { applicationOf } from "../services/oidc.ts";
import type { Store } from "../store.ts";
import { adapterFor } from "./adapter.ts";
import { amrOf, authMethodsOf, authTimeOf } from "./auth_methods.ts";
import { extraParameters, toSignIn } from "./authorize.ts";
import { accessTokenPayload, asZitadelAnswers } from "./tokens.ts";
import { originAllowed, usableApplication } from "./clients.ts";
import { signingKeys } from "./keys.ts";
import { type Client, type Context, createProvider, type Provider } from "./library.ts";
import { lifetimeSeconds, nowSeconds } from "./lifetimes.ts";

/** Every token is for ZITADEL's own audience; the library needs a name for it. */
const resource = "urn:zitadel";

interface TokenLike {
  grantId?: string;
  clientId?: string;
}

export class OidcProvider implements OidcSide {
  readonly #store: Store;
  readonly #issuer: string;
  readonly #cookieKeys = [randomBytes(32).toString("hex")];
  #provider: Provider;
  #handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  constructor(store: Store, issuer: string) {
    this.#store = store;
    this.#issuer = issuer;
    this.#provider = this.#create();
    this.#handle = this.#provider.callback();
  }

  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#handle(request, response);
  }

  findOpaque(token: string): Promise<{ grantId: string; exp: number } | undefined> {
    return this.#provider.AccessToken.find(token);
  }

  /** The library's keys are fixed at its start: another one takes over, on the same store. */
  keysChanged(): Promise<void> {
    this.#provider = this.#create();
    this.#handle = this.#provider.callback();
    return Promise.resolve();
  }

  async issueCode(authRequestId: string, { id: sessionId }: { id: string }): Promise<string> {
    const store = this.#store;
    const request = store.get("auth_request", authRequestId)!;
    const session: Session = store.get("session", sessionId)!;
    const id = `V2_${store.newId()}`;
    const oidcSession: OidcSession = {
      id,
      userId: session.user!.id,
      organizationId: session.user!.organizationId,
      sessionId,
      authRequestId,
      clientId: request.clientId,
      scope: request.scope,
      authMethods: authMethodsOf(session),
      authTime: Math.floor(Date.parse(authTimeOf(session)) / 1000),
      ...(request.nonce ? { nonce: request.nonce } : {}),
      createdAt: store.now(),
      begun: false,
    };
    store.put("oidc_session", id, oidcSession);
    const provider = this.#provider;
    const client = await provider.Client.find(request.clientId);
    if (!client) throw new Error(`Application ${request.clientId} went away during a sign-in`);
    const scope = request.scope.join(" ");
    const grant = new provider.Grant({
      jti: id,
      accountId: oidcSession.userId,
      clientId: request.clientId,
    });
    grant.addOIDCScope(scope);
    grant.addResourceScope(resource, scope);
    await grant.save();
    const code = await new provider.AuthorizationCode({
      accountId: oidcSession.userId,
      authTime: oidcSession.authTime,
      amr: amrOf(oidcSession.authMethods),
      client,
      ...(request.codeChallenge
        ? { codeChallenge: request.codeChallenge, codeChallengeMethod: "S256" }
        : {}),
      grantId: id,
      redirectUri: request.redirectUri,
      resource,
      scope,
    }).save();
    const url = new URL(request.redirectUri);
    url.searchParams.set("code", code);
    if (request.responseState) url.searchParams.set("state", request.responseState);
    return url.href;
  }

  #create(): Provider {
    const store = this.#store;
    const provider = createProvider(this.#issuer, this.#configuration());
    provider.registerGrantType(
      "urn:ietf:params:oauth:grant-type:jwt-bearer", // listed here; answered by machine_tokens.ts
      () => Promise.reject(new Error("answered elsewhere")),
      ["assertion"],
    );
    provider.on("server_error", (_context, error) => console.error("zitadel double:", error));
    provider.use(async (context, next) => {
      await next();
      context.remove("set-cookie"); // its browser sessions are not used, and cookies know no port
      const route = context.oidc?.route;
      if (route === "authorization" && context.status === 303) context.status = 302;
      if (route === "discovery") context.body = discovery(context.body as Record<string, unknown>);
      if (route === "jwks") context.set("cache-control", "max-age=300, must-revalidate");
      if (route === "token") await asZitadelAnswers(store, this.#issuer, context);
    });
    return provider;
  }

  #configuration(): Record<string, unknown> {
    const store = this.#store;
    return {
      adapter: adapterFor(store),
      jwks: { keys: signingKeys(store).map(({ privateJwk }) => privateJwk as JWK) },
      cookies: { keys: this.#cookieKeys },
      routes: {
        authorization: "/oauth/v2/authorize",
        token: "/oauth/v2/token",
        jwks: "/oauth/v2/keys",
        introspection: "/oauth/v2/introspect",
        revocation: "/oauth/v2/revoke",
        userinfo: "/oidc/v1/userinfo",
        end_session: "/oidc/v1/end_session",
      },
      features: {
        devInteractions: { enabled: false },
        pushedAuthorizationRequests: { enabled: false },
        dPoP: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true },
        revocation: { enabled: true },
        userinfo: { enabled: true },
        rpInitiatedLogout: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => resource,
          useGrantedResource: () => true,
          getResourceServerInfo: (context: Context, _resource: string, client: Client) => ({
            scope: [
              context.oidc?.entities.AuthorizationCode?.scope,
              context.oidc?.entities.RefreshToken?.scope,
            ].join(" "),
            audience: resource,
            accessTokenFormat: usableApplication(store, client.clientId)?.oidc.accessTokenType ===
                "OIDC_TOKEN_TYPE_JWT"
              ? "jwt"
              : "opaque",
            jwt: { sign: { alg: "RS256" } },
          }),
        },
      },
      formats: {
        customizers: {
          jwt: (_context: Context, token: TokenLike, made: { header: object; payload: object }) => {
            made.header = { typ: "JWT" };
            made.payload = accessTokenPayload(store, this.#issuer, token.grantId!);
          },
        },
      },
      extraParams: extraParameters,
      scopes: ["openid", "profile", "email", "phone", "offline_access"],
      claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
      interactions: {
        url: (context: Context, interaction: { params: Record<string, string | undefined> }) =>
          toSignIn(store, context, interaction.params),
      },
      findAccount: (_context: Context, id: string) => {
        const user = store.get("user", id);
        return user?.state === "active"
          ? { accountId: id, claims: () => ({ sub: id }) }
          : undefined;
      },
      pkce: {
        required: (_context: Context, client: Client) =>
          applicationOf(store, client.clientId)?.oidc.authMethodType ===
            "OIDC_AUTH_METHOD_TYPE_NONE",
      },
      ttl: {
        AccessToken: () => lifetimeSeconds(store, "accessTokenLifetime"),
        IdToken: () => lifetimeSeconds(store, "idTokenLifetime"),
        RefreshToken: (_context: Context, token: TokenLike) => this.#refreshSeconds(token.grantId!),
        AuthorizationCode: 300,
        Interaction: 600,
        Session: 600,
        Grant: () => lifetimeSeconds(store, "refreshTokenExpiration"),
      },
      expiresWithSession: () => false,
      issueRefreshToken: (_context: Context, client: Client, code: { scopes: Set<string> }) =>
        code.scopes.has("offline_access") &&
        applicationOf(store, client.clientId)!.oidc.grantTypes.includes(
          "OIDC_GRANT_TYPE_REFRESH_TOKEN",
        ),
      rotateRefreshToken: true,
      clientBasedCORS: (_context: Context, origin: string, client: Client) =>
        originAllowed(store, client.clientId, origin),
      renderError: (context: Context, out: object) => {
        context.body = out;
      },
    };
  }

  /** Idle, but never beyond the end of the chain. */
  #refreshSeconds(grantId: string): number {
    const store = this.#store;
    const until = store.get("oidc_session", grantId)?.refreshUntil ??
      nowSeconds() + lifetimeSeconds(store, "refreshTokenExpiration");
    store.patch("oidc_session", grantId, { refreshUntil: until });
    return Math.max(
      1,
      Math.min(lifetimeSeconds(store, "refreshTokenIdleExpiration"), until - nowSeconds()),
    );
  }
}

/** ZITADEL says nothing of `iss` in its answers to applications, and its callback has none. */
function discovery(
  { authorization_response_iss_parameter_supported: _said, ...document }: Record<string, unknown>,
): Record<string, unknown> {
  return document;
}
