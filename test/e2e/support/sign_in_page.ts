// Our pages with their real files and headers, over an API that says what a test wants: for what no stack is needed.
import { loadAsset } from "../../../functions/widget/assets.ts";
import type { Action, Open, Opened, State } from "../../../functions/widget/contract.ts";
import * as pages from "../../../functions/widget/page.ts";
import { pagePolicy } from "../../../functions/widget/page_policy.ts";
import { opened } from "../../gallery/states.ts";

export interface SignInPage extends AsyncDisposable {
  /** Of the page `login`, for auth request V2_1. */
  url: string;
  origin: string;
  /** Of the widget function. */
  base: string;
  /** What flows/open got, oldest first. */
  opens: Open[];
  /** What flows/act got, oldest first. */
  sent: Action[];
  /** The headers of those requests. */
  headers: Headers[];
}

/** A state is answered, a string refuses with that slug. */
type Said = State | string;

export interface Answers {
  /** What opening answers: a state, all of it, or a refusal. */
  open?: Said | Opened;
  act?: Said | ((action: Action, nth: number) => Said | Promise<Said>);
  /** Of the account page's API, by path; see account_page.ts. */
  other?: (path: string, request: Request) => Promise<Response> | undefined;
  language?: string;
  /** Origins besides its own whose pages may ask inline. */
  cors?: boolean;
}

/** Below a path of its own, as in an installation that shares its origin. */
const prefix = "/some/prefix/functions/v1/widget/";

export const startState: Extract<State, { screen: "start" }> = {
  screen: "start",
  ways: {
    password: true,
    passkey: false,
    emailCode: false,
    register: false,
    reset: false,
    discovery: false,
  },
  providers: [],
  redirectInstead: false,
};

export function serveSignInPage(answers: Answers = {}): SignInPage {
  const [opens, sent, headers]: [Open[], Action[], Headers[]] = [[], [], []];
  const api: Record<string, (request: Request) => Promise<Response>> = {
    "flows/open": async (request) => {
      opens.push(await request.json());
      headers.push(request.headers);
      const said = answers.open ?? startState;
      if (typeof said === "string") return problem(said);
      return Response.json("state" in said ? said : opened(said));
    },
    "flows/act": async (request) => {
      const action = await request.json() as Action;
      sent.push(action);
      headers.push(request.headers);
      const said = typeof answers.act === "function"
        ? await answers.act(action, sent.length)
        : answers.act ?? "other";
      return typeof said === "string"
        ? problem(said)
        : Response.json({ flow: `flow-${sent.length + 1}`, state: said });
    },
  };
  const shown: Record<string, (query: URLSearchParams) => Promise<string>> = {
    login: (query) =>
      query.has("tenant")
        ? pages.accountSignInPage(query.get("tenant")!, answers.language)
        : pages.loginPage("V2_1", answers.language),
    return: () => pages.loginPage("V2_1", answers.language),
    link: () => pages.linkPage(answers.language),
    logout: () => pages.logoutPage(answers.language),
    me: (query) => pages.accountPage(query.get("tenant") ?? "acme", answers.language),
  };
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.startsWith(prefix)) return new Response("Not found", { status: 404 });
    const name = pathname.slice(prefix.length);
    const other = answers.other?.(name, request);
    if (other) return await other;
    if (request.method === "OPTIONS") return new Response(null, { status: 204 });
    if (request.method === "POST" && api[name]) return await api[name](request);
    if (shown[name]) {
      return new Response(await shown[name](searchParams), {
        headers: { "content-type": "text/html", "content-security-policy": pagePolicy },
      });
    }
    const asset = await loadAsset(name).catch(() => undefined);
    if (!asset) return new Response("Not found", { status: 404 });
    return new Response(asset.bytes, {
      headers: { "content-type": asset.type, "access-control-allow-origin": "*" },
    });
  };
  const handle = async (request: Request): Promise<Response> => {
    const response = await answer(request);
    const from = request.headers.get("origin");
    if (answers.cors && from !== null) {
      response.headers.set("access-control-allow-origin", from);
      response.headers.set("access-control-allow-headers", "content-type, x-gatehouse-flow");
    }
    return response;
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handle);
  // By name: passkeys are for names, not for addresses.
  const origin = `http://localhost:${server.addr.port}`;
  return {
    origin,
    base: origin + prefix,
    url: `${origin}${prefix}login?authRequest=V2_1`,
    opens,
    sent,
    headers,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const problem = (slug: string) =>
  Response.json({ type: `urn:gatehouse:problem:${slug}` }, { status: 400 });
