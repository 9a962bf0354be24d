/**
 * One call to ZITADEL: Connect JSON for the v2 services, REST for what only v1 has. HTTP/1.1 and `fetch`, no client library.
 * Next: refusal.ts (what an error answer means), token.ts (whose call it is).
 */
import { traceparent } from "../telemetry.ts";
import { apiAddress } from "./address.ts";
import { ZitadelError } from "./errors.ts";
import { refusal } from "./refusal.ts";
import { tokenFromFile } from "./token.ts";
import type { ZitadelConfig } from "./types.ts";

export interface CallOptions {
  /** The object is known to exist: its projection may lag, so `not_found` is asked again after 0.5, 1 and 2 s. `once`: after 0.5 s only. */
  settle?: boolean | "once";
  /** The organization that a v1 Management call is about. */
  orgId?: string;
}

export interface Wire {
  /** `service` as in zitadel.org.v2.OrganizationService. */
  connect<T>(service: string, method: string, body: object, options?: CallOptions): Promise<T>;
  rest<T>(
    verb: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: object,
    options?: CallOptions,
  ): Promise<T>;
}

export const settleDelaysMs = [500, 1000, 2000];

export function wire(config: ZitadelConfig): Wire {
  const address = apiAddress(config);
  const token = tokenFromFile(config.tokenFile);
  const timeoutMs = config.timeoutMs ?? 10_000;

  async function once<T>(verb: string, path: string, headers: Headers, body?: string): Promise<T> {
    headers.set("authorization", `Bearer ${await token.read()}`);
    let answer: { status: number; text: string };
    try {
      const response = await fetch(`${address.url}${path}`, {
        method: verb,
        headers,
        redirect: "error", // an API answers; a redirect would carry the token elsewhere
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body }),
      });
      answer = { status: response.status, text: await response.text() };
    } catch (cause) {
      const late = cause instanceof DOMException && cause.name === "TimeoutError";
      throw new ZitadelError({
        code: late ? "deadline_exceeded" : "unavailable",
        message: late
          ? `ZITADEL did not answer ${verb} ${path} within ${timeoutMs} ms`
          : `Cannot reach ZITADEL at ${address.url}`,
        cause,
      });
    }
    if (answer.status >= 200 && answer.status < 300) return parseAnswer<T>(answer.text, path);
    throw refusal(answer.status, answer.text);
  }

  async function call<T>(
    verb: string,
    path: string,
    body: object | undefined,
    options: CallOptions,
  ): Promise<T> {
    const headers = new Headers({ ...address.headers, accept: "application/json" });
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (text !== undefined) headers.set("content-type", "application/json");
    if (options.orgId !== undefined) headers.set("x-zitadel-orgid", options.orgId);
    const parent = traceparent();
    if (parent) headers.set("traceparent", parent);
    try {
      return await once<T>(verb, path, headers, text);
    } catch (error) {
      const refused = error instanceof ZitadelError && error.httpStatus === 401;
      if (!refused) throw error;
      if (!await token.changed()) throw error;
      return await once<T>(verb, path, headers, text); // refused before anything was done, so safe to repeat
    }
  }

  /** Reads pass; a write is told of before and after. */
  async function guarded<T>(method: string, reads: boolean, make: () => Promise<T>): Promise<T> {
    if (reads || config.guard === undefined) return await make();
    await config.guard.beforeWrite(method);
    const answer = await make();
    await config.guard.afterWrite(method);
    return answer;
  }

  async function settled<T>(run: () => Promise<T>, options: CallOptions): Promise<T> {
    const delays = settleDelaysMs.slice(0, options.settle === "once" ? 1 : options.settle ? 3 : 0);
    for (const delayMs of delays) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof ZitadelError) || error.code !== "not_found") throw error;
        await sleep(delayMs);
      }
    }
    return await run();
  }

  return {
    connect: (service, method, body, options = {}) =>
      guarded(
        method,
        /^(Get|List)/.test(method),
        () => settled(() => call("POST", `/${service}/${method}`, body, options), options),
      ),
    rest: (verb, path, body, options = {}) =>
      guarded(
        `${verb} ${path}`,
        verb === "GET" || path.endsWith("/_search"),
        () => settled(() => call(verb, path, body, options), options),
      ),
  };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function parseAnswer<T>(text: string, path: string): T {
  try {
    return (text === "" ? {} : JSON.parse(text)) as T;
  } catch (cause) {
    throw new ZitadelError({
      code: "internal",
      message: `ZITADEL answered ${path} with something that is not JSON`,
      cause,
    });
  }
}
