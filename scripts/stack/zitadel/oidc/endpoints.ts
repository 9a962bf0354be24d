// What ZITADEL answers in its own way: userinfo, introspection, end of session; and whose an access token is.
import { hash, type VerifyToken } from "../caller.ts";
import type { OidcSession } from "../model.ts";
import { terminate } from "../services/sessions.ts";
import type { Store } from "../store.ts";
import { profileClaims, requestedProjects, scopeClaims } from "./claims.ts";
import { usableApplication } from "./clients.ts";
import { sign, verify } from "./keys.ts";
import { nowSeconds } from "./lifetimes.ts";
import { basic } from "./machine_tokens.ts";
import type { OidcProvider } from "./provider.ts";

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Live {
  userId: string;
  session: OidcSession | undefined;
  claims: Record<string, unknown>;
}

export class Endpoints {
  readonly #store: Store;
  readonly #issuer: string;
  readonly #provider: OidcProvider;

  constructor(store: Store, issuer: string, provider: OidcProvider) {
    this.#store = store;
    this.#issuer = issuer;
    this.#provider = provider;
  }

  /** For the API: personal tokens, and tokens with ZITADEL's own project in their audience. */
  readonly verify: VerifyToken = async (token) => {
    const known = this.#store.get("token", hash(token));
    if (known) {
      return Date.parse(known.expiresAt) > Date.now() ? known : null;
    }
    const live = await this.#live(token);
    if (!live) return null;
    const { apiProjectId } = this.#store.get("instance", "instance")!;
    const audience =
      (live.claims.aud ?? requestedProjects(this.#store, live.session?.scope ?? [])) as string[];
    return { userId: live.userId, forApi: audience.includes(apiProjectId) };
  };

  async userinfo(token: string | undefined): Promise<Answer> {
    const live = token === undefined ? null : await this.#live(token);
    const user = live && this.#store.get("user", live.userId);
    if (!live || !user) {
      return {
        status: 401,
        headers: { "www-authenticate": 'Bearer error="invalid_token"' },
        body: { error: "invalid_token", error_description: "access token invalid" },
      };
    }
    const { session } = live;
    const scope = session?.scope ?? [];
    const application = session && usableApplication(this.#store, session.clientId);
    const project = application && this.#store.get("project", application.projectId);
    return {
      status: 200,
      body: {
        sub: user.id,
        ...profileClaims(this.#store, user, scope),
        ...scopeClaims(
          this.#store,
          user,
          scope,
          application,
          project?.projectRoleAssertion ?? false,
        ),
      },
    };
  }

  async introspect(form: URLSearchParams, authorization: string | undefined): Promise<Answer> {
    const [clientId, secret] = basic(authorization) ??
      [form.get("client_id") ?? "", form.get("client_secret") ?? ""];
    const application = usableApplication(this.#store, clientId);
    if (!application?.clientSecret || application.clientSecret !== secret) {
      return { status: 401, body: { error: "invalid_client" } };
    }
    const live = await this.#live(form.get("token") ?? "");
    const audience = (live?.claims.aud ?? []) as string[];
    const forUs = audience.includes(clientId) || audience.includes(application.projectId);
    if (!live || !forUs) return { status: 200, body: { active: false } };
    return {
      status: 200,
      body: {
        active: true,
        token_type: "Bearer",
        scope: live.session?.scope.join(" "),
        ...live.claims,
      },
    };
  }

  /** With a hint the session ends here; without one the sign-in page is asked to end it. */
  async endSession(query: URLSearchParams): Promise<Answer> {
    const store = this.#store;
    const instance = store.get("instance", "instance")!;
    const hint = query.get("id_token_hint");
    const claims = hint === null
      ? null
      : await verify(store, this.#issuer, hint, { ignoreExpiry: true });
    if (hint !== null && claims === null) {
      return {
        status: 400,
        body: { error: "invalid_request", error_description: "id_token_hint invalid" },
      };
    }
    const clientId = String(claims?.azp ?? query.get("client_id") ?? "");
    const target = query.get("post_logout_redirect_uri");
    const registered = usableApplication(store, clientId)?.oidc.postLogoutRedirectUris ?? [];
    if (target !== null && !registered.includes(target)) {
      return {
        status: 400,
        body: { error: "invalid_request", error_description: "post_logout_redirect_uri invalid" },
      };
    }
    const state = query.get("state");
    const back = target === null ? null : new URL(target);
    if (back && state !== null) back.searchParams.set("state", state);
    if (claims) {
      const session = store.get("session", String(claims.sid));
      if (session) terminate(store, instance.id, session, String(claims.sub));
      await store.flush();
      return redirect(back?.href ?? "/ui/v2/login/logout/done");
    }
    const page = new URL(
      `${(instance.loginV2.baseUri ?? `${this.#issuer}/ui/v2/login`).replace(/\/+$/, "")}/logout`,
    );
    if (back) page.searchParams.set("post_logout_redirect", back.href);
    page.searchParams.set(
      "logout_token",
      await sign(store, {
        iss: this.#issuer,
        iat: nowSeconds(),
        exp: nowSeconds() + 300,
        ...(back ? { post_logout_redirect_uri: back.href } : {}),
        ...(query.get("logout_hint") ? { logout_hint: query.get("logout_hint") } : {}),
        ...(query.get("ui_locales") ? { ui_locales: query.get("ui_locales")!.split(" ") } : {}),
      }),
    );
    return redirect(page.href);
  }

  /** A token that still counts: its user active, its session not ended. */
  async #live(token: string): Promise<Live | null> {
    const store = this.#store;
    const machine = store.get("token", hash(token));
    let claims = machine && Date.parse(machine.expiresAt) > Date.now()
      ? machine.claims ?? { sub: machine.userId }
      : null;
    let sessionId = String(claims?.jti ?? "").split("-at_")[0]!;
    if (!machine && token.split(".").length === 3) {
      claims = await verify(store, this.#issuer, token);
      if (claims && !String(claims.jti ?? "").includes("-at_")) return null; // an ID token is no access token
      sessionId = String(claims?.jti ?? "").split("-at_")[0]!;
    } else if (!machine) {
      const opaque = await this.#provider.findOpaque(token);
      sessionId = opaque?.grantId ?? "";
      const owner = store.get("oidc_session", sessionId);
      claims = opaque && owner
        ? { sub: owner.userId, exp: opaque.exp, client_id: owner.clientId }
        : null;
    }
    if (!claims) return null;
    const session = store.get("oidc_session", sessionId);
    const ended = session?.sessionId !== undefined && session.sessionId !== "" &&
      store.get("session", session.sessionId)?.state !== "active";
    const userId = String(claims.sub);
    return store.get("user", userId)?.state === "active" && !ended
      ? { userId, session, claims }
      : null;
  }
}

const redirect = (location: string): Answer => ({ status: 302, headers: { location } });
