/**
 * ZITADEL's API: Connect for the v2 services, REST by the protos' own http rules.
 * Next: services/ (one file a service), contract.ts (what may be said at all).
 */
import type { JsonValue } from "@bufbuild/protobuf";
import { authenticate, type VerifyToken } from "./caller.ts";
import {
  type Json,
  type Method,
  methods,
  packDetail,
  readRequest,
  writeAnswer,
} from "./contract.ts";
import { ApiError, invalidArgument, statuses } from "./errors.ts";
import type { Idps } from "./idps/reach.ts";
import type { Handler, OidcSide, Service } from "./service.ts";
import type { Store } from "./store.ts";

export interface ApiRequest {
  verb: string;
  url: URL;
  headers: Record<string, string | undefined>;
  body: string;
}
export interface ApiAnswer {
  status: number;
  body: unknown;
}

interface Route {
  verb: string;
  pattern: RegExp;
  fields: string[];
  takesBody: boolean;
  method: Method;
}

/** v1 has no Connect; the gateway knows no route of these v2 services, webkey's proto notwithstanding. */
const v1Prefixes: Record<string, string> = {
  "zitadel.admin.v1.AdminService": "/admin/v1",
  "zitadel.management.v1.ManagementService": "/management/v1",
};
const withoutGateway = new Set(["zitadel.webkey.v2.WebKeyService"]);

/** Debug knobs: what the next call of a method answers instead. */
export interface Failure {
  method: string;
  times: number;
  code: "unavailable" | "internal" | "permission_denied";
  /** Do the work, then fail: the answer is lost. */
  afterwards: boolean;
}

export class Router {
  failures: Failure[] = [];
  #handlers = new Map<string, Handler>();
  #routes: Route[] = [];
  #store: Store;
  #verify: VerifyToken;
  #oidc: OidcSide;
  #idps: Idps;

  constructor(
    store: Store,
    verify: VerifyToken,
    oidc: OidcSide,
    idps: Idps,
    services: Record<string, Service>,
  ) {
    this.#store = store;
    this.#verify = verify;
    this.#oidc = oidc;
    this.#idps = idps;
    for (const [service, handlers] of Object.entries(services)) {
      for (const [name, handler] of Object.entries(handlers)) {
        const method = methods.get(`${service}/${name}`);
        if (!method) throw new Error(`ZITADEL has no ${service}/${name}`);
        this.#handlers.set(method.name, handler);
      }
    }
    this.#routes = [...methods.values()].flatMap(routesOf)
      .sort((a, b) => a.fields.length - b.fields.length); // /v2/users/new before /v2/users/{user_id}
  }

  /** Null: no path of the API. */
  async answer(request: ApiRequest): Promise<ApiAnswer | null> {
    const path = request.url.pathname;
    const connect = /^\/(zitadel\.[\w.]+\/\w+)$/.exec(path)?.[1];
    if (connect !== undefined) {
      const method = connect.includes(".v1.") ? undefined : methods.get(connect);
      return await this.#run(request, method, connect, "connect", () => parse(request.body));
    }
    for (const route of this.#routes) {
      if (route.verb !== request.verb) continue;
      const match = route.pattern.exec(path);
      if (!match) continue;
      return await this.#run(
        request,
        route.method,
        path,
        "gateway",
        () => fromRoute(route, match, request),
      );
    }
    return /^\/(v2|v2beta|admin\/v1|management\/v1|auth\/v1|system\/v1)\//.test(path)
      ? await this.#run(request, undefined, path, "gateway", () => ({}))
      : null;
  }

  async #run(
    request: ApiRequest,
    method: Method | undefined,
    asked: string,
    style: "connect" | "gateway",
    input: () => JsonValue,
  ): Promise<ApiAnswer> {
    try {
      const handler = method && this.#handlers.get(method.name);
      if (!method || !handler) {
        console.error(`zitadel double: NOT IMPLEMENTED ${request.verb} ${asked}`);
        throw new ApiError("unimplemented", undefined, `The double does not implement ${asked}`);
      }
      const caller = await authenticate(this.#store, this.#verify, {
        authorization: request.headers.authorization,
        organization: request.headers["x-zitadel-orgid"],
      });
      if (method.permission !== "authenticated") {
        caller.need(method.permission, { organizationId: caller.organizationId });
      }
      const failure = this.#failure(method.name);
      if (failure && !failure.afterwards) throw failed(failure);
      const { id } = this.#store.get("instance", "instance")!;
      const read = readRequest(method, input());
      const answer = await handler(
        {
          store: this.#store,
          caller,
          instance: { id },
          method,
          oidc: this.#oidc,
          idps: this.#idps,
        },
        read as never,
      );
      const body = checked(method, answer);
      await this.#store.flush();
      if (failure) throw failed(failure);
      return { status: style === "gateway" ? method.httpStatus : 200, body };
    } catch (error) {
      await this.#store.flush();
      if (!(error instanceof ApiError)) throw error;
      return style === "connect" ? connectError(error) : gatewayError(error);
    }
  }

  #failure(name: string): Failure | undefined {
    const found = this.failures.find((failure) => name.endsWith(failure.method));
    if (found && --found.times <= 0) {
      this.failures = this.failures.filter((failure) => failure !== found);
    }
    return found;
  }
}

const failed = ({ code }: Failure) => new ApiError(code, "DOUBLE-failure", "Errors.Internal");

/** @throws plain Error: the double is at fault, and its caller sees a 500 that no client would take for a refusal. */
function checked(method: Method, answer: object): Json {
  try {
    return writeAnswer(method, answer);
  } catch (error) {
    throw new Error(`INVALID ANSWER of ${method.name}: ${(error as Error).message}`);
  }
}

function parse(body: string): JsonValue {
  try {
    return JSON.parse(body === "" ? "{}" : body) as JsonValue;
  } catch {
    throw invalidArgument(undefined, "proto: syntax error: invalid JSON");
  }
}

function routesOf(method: Method): Route[] {
  const service = method.name.split("/")[0]!;
  if (withoutGateway.has(service) || (service.includes(".v1.") && !v1Prefixes[service])) return [];
  return method.rules.map((rule) => {
    const [, verb = "", template = "", body] = /^(\w+) (\S+)(?: \[(.*)\])?$/.exec(rule)!;
    const fields: string[] = [];
    const pattern = template.replace(/[.]/g, "\\.").replace(
      /\{([\w.]+)(?:=\*\*)?\}/g,
      (_, field: string) => {
        fields.push(field);
        return "([^/]+)";
      },
    );
    const prefix = v1Prefixes[service] ?? "";
    return {
      verb,
      pattern: new RegExp(`^${prefix}${pattern}$`),
      fields,
      takesBody: body !== undefined,
      method,
    };
  });
}

function fromRoute(route: Route, match: RegExpExecArray, request: ApiRequest): JsonValue {
  const message = route.takesBody ? parse(request.body) as Json : {};
  if (typeof message !== "object" || message === null) {
    throw invalidArgument(undefined, "proto: syntax error: expected an object");
  }
  if (!route.takesBody) {
    for (const [name, value] of request.url.searchParams) assign(message, name, value);
  }
  route.fields.forEach((field, index) =>
    assign(message, field, decodeURIComponent(match[index + 1]!))
  );
  return message;
}

/** Query parameters reach into messages by dots: `ctx.orgId=1`. */
function assign(message: Json, name: string, value: string): void {
  const path = name.split(".");
  const last = path.pop()!;
  let at = message;
  for (const part of path) at = (at[part] ??= {}) as Json;
  at[last] = value === "true" ? true : value === "false" ? false : value;
}

function errorDetail(error: ApiError): { typeName: string; value: Json } | null {
  if (error.id === undefined) return null;
  const value = { id: error.id, message: error.key };
  return error.failedAttempts === undefined ? { typeName: "zitadel.v1.ErrorDetail", value } : {
    typeName: "zitadel.v1.CredentialsCheckError",
    value: { ...value, failedAttempts: error.failedAttempts },
  };
}

function connectError(error: ApiError): ApiAnswer {
  const detail = errorDetail(error);
  return {
    status: statuses[error.code].http,
    body: {
      code: error.code,
      message: error.message,
      ...(detail
        ? { details: [{ ...packDetail(detail.typeName, detail.value), debug: detail.value }] }
        : {}),
    },
  };
}

function gatewayError(error: ApiError): ApiAnswer {
  const detail = errorDetail(error);
  return {
    status: statuses[error.code].http,
    body: {
      code: statuses[error.code].number,
      message: error.message,
      details: detail
        ? [{ "@type": `type.googleapis.com/${detail.typeName}`, ...detail.value }]
        : [],
    },
  };
}
