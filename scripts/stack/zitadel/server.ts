/**
 * One port, as ZITADEL has one: the API, OpenID Connect, health.
 * Next: router.ts (the API), oidc/provider.ts (sign-in and tokens).
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pushEvents } from "./actions_push.ts";
import { bootstrap } from "./bootstrap.ts";
import { authenticate } from "./caller.ts";
import { ApiError, statuses } from "./errors.ts";
import { answerIdps } from "./idps/callback.ts";
import { defaultIntentMs, type Idps } from "./idps/reach.ts";
import { setAside } from "./oidc/authorize.ts";
import { type Answer, Endpoints } from "./oidc/endpoints.ts";
import { machineToken } from "./oidc/machine_tokens.ts";
import { OidcProvider } from "./oidc/provider.ts";
import { type Failure, Router } from "./router.ts";
import { services } from "./services/index.ts";
import { patchHuman } from "./services/users.ts";
import { Store } from "./store.ts";

export interface Options {
  issuer: string;
  dbUrl: string;
  bootstrapFolder?: string | undefined;
  lagMs: number;
  /** Where the providers of the world are played; absent: they are the real ones. */
  played?: string | undefined;
}

export class Double {
  readonly #store: Store;
  readonly #router: Router;
  readonly #oidc: OidcProvider;
  readonly #endpoints: Endpoints;
  readonly #issuer: string;
  readonly #idps: Idps;
  readonly #server: Server;

  private constructor(store: Store, issuer: string, played: string | undefined) {
    this.#store = store;
    this.#issuer = issuer;
    this.#oidc = new OidcProvider(store, issuer);
    this.#endpoints = new Endpoints(store, issuer, this.#oidc);
    this.#idps = { issuer, played: played ?? null, intentMs: defaultIntentMs };
    const suffix = new URL(issuer).hostname;
    this.#router = new Router(
      store,
      this.#endpoints.verify,
      this.#oidc,
      this.#idps,
      services(suffix),
    );
    store.events.onPush((events) => pushEvents(store, events));
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: Error) => {
        console.error(`zitadel double: FAULT ${request.method} ${request.url}: ${error.stack}`);
        send(response, { status: 500, body: { code: "internal", message: error.message } });
      });
    });
  }

  static async open({ issuer, dbUrl, bootstrapFolder, lagMs, played }: Options): Promise<Double> {
    const store = await Store.open(dbUrl, lagMs);
    await bootstrap(store, { folder: bootstrapFolder, domainSuffix: new URL(issuer).hostname });
    return new Double(store, issuer, played);
  }

  listen(hostname: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, hostname, () => resolve());
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#store.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.#issuer);
    const path = url.pathname;
    if (path === "/debug/healthz" || path === "/debug/ready") {
      return send(response, { status: 200, body: "ok" });
    }
    if (!this.#isOurs(request)) {
      return send(response, {
        status: 404,
        body: { code: 5, message: "Errors.IAM.NotFound (QUERY-1kIjX)", details: [] },
      });
    }
    if (request.method === "OPTIONS" && !path.startsWith("/oauth/")) {
      return preflight(request, response);
    }
    if (path.startsWith("/idps/")) {
      const form = request.method === "POST"
        ? new URLSearchParams(await readBody(request))
        : url.searchParams;
      return send(response, await answerIdps(this.#store, this.#idps, path, form));
    }
    if (path === "/debug/double") return send(response, await this.#debug(request));
    if (
      path.startsWith("/oauth/") || path.startsWith("/oidc/") || path.startsWith("/.well-known/")
    ) {
      return await this.#openId(request, response, url);
    }
    const answer = await this.#router.answer({
      verb: request.method ?? "GET",
      url,
      headers: request.headers as Record<string, string | undefined>,
      body: await readBody(request),
    });
    send(response, answer ?? { status: 404, body: { code: 5, message: "Not Found", details: [] } });
  }

  /** An instance is found by its host; from inside by the header that names it. */
  #isOurs(request: IncomingMessage): boolean {
    const named = request.headers["x-zitadel-instance-host"] ?? request.headers.host;
    return named === new URL(this.#issuer).host;
  }

  async #openId(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { authorization } = request.headers;
    if (url.pathname === "/oidc/v1/userinfo") {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
      return send(response, withCors(request, await this.#endpoints.userinfo(token)));
    }
    if (url.pathname === "/oidc/v1/end_session") {
      const form = new URLSearchParams(await readBody(request));
      const query = request.method === "POST" ? form : url.searchParams;
      return send(response, await this.#endpoints.endSession(query));
    }
    if (url.pathname === "/oauth/v2/introspect") {
      const form = new URLSearchParams(await readBody(request));
      return send(response, await this.#endpoints.introspect(form, authorization));
    }
    if (url.pathname === "/oauth/v2/token" && request.method === "POST") {
      const body = await readBody(request);
      const answer = await machineToken(
        this.#store,
        this.#issuer,
        new URLSearchParams(body),
        authorization,
      );
      if (answer) return send(response, answer);
      replay(request, body);
    }
    if (url.pathname === "/oauth/v2/authorize") request.url = setAside(url);
    request.headers.host = new URL(this.#issuer).host; // the library writes addresses from it
    await this.#oidc.handle(request, response);
  }

  /** Knobs that no ZITADEL has, for IAM_OWNERs. */
  async #debug(request: IncomingMessage): Promise<Answer> {
    try {
      const caller = await authenticate(this.#store, this.#endpoints.verify, {
        authorization: request.headers.authorization,
      });
      caller.need("iam.write");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return {
        status: statuses[error.code].http,
        body: { code: error.code, message: error.message },
      };
    }
    const knobs = JSON.parse(await readBody(request) || "{}") as {
      lagMs?: number;
      lateMs?: number;
      failures?: Failure[];
      played?: string | null;
      intentMs?: number;
      passwordAge?: { userId: string; days: number };
    };
    if (knobs.intentMs !== undefined) this.#idps.intentMs = knobs.intentMs;
    if (knobs.played !== undefined) this.#idps.played = knobs.played;
    if (knobs.lagMs !== undefined) this.#store.lagMs = knobs.lagMs;
    if (knobs.lateMs !== undefined) this.#store.events.lateMs = knobs.lateMs;
    if (knobs.failures !== undefined) this.#router.failures = knobs.failures;
    if (knobs.passwordAge !== undefined) await this.#age(knobs.passwordAge);
    return { status: 200, body: { lagMs: this.#store.lagMs } };
  }

  /** Nobody can wait until a password has run out. */
  async #age({ userId, days }: { userId: string; days: number }): Promise<void> {
    const passwordChangedAt = new Date(Date.now() - days * 86_400_000).toISOString();
    patchHuman(this.#store, userId, { passwordChangedAt }, this.#store.now());
    await this.#store.flush();
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

/** The library reads the body itself: it gets it a second time. */
function replay(request: IncomingMessage, body: string): void {
  Object.defineProperties(request, {
    readable: { value: true },
    iterator: {
      value: async function* () {
        yield await Promise.resolve(Buffer.from(body));
      },
    },
  });
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  if (response.headersSent) return void response.end();
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": typeof body === "string" ? "text/plain" : "application/json",
    ...headers,
  });
  response.end(text);
}

function withCors(request: IncomingMessage, answer: Answer): Answer {
  const { origin } = request.headers;
  return origin === undefined ? answer : {
    ...answer,
    headers: { ...answer.headers, "access-control-allow-origin": origin, vary: "Origin" },
  };
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  send(response, {
    status: 204,
    headers: {
      "access-control-allow-origin": request.headers.origin ?? "*",
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "",
      vary: "Origin",
    },
  });
}
