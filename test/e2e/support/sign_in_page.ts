// The sign-in page with its real files and headers, over an API that says what a test wants: for what no stack is needed.
import { loadAsset } from "../../../functions/widget/assets.ts";
import { loginPage, pagePolicy } from "../../../functions/widget/page.ts";

export interface SignInPage extends AsyncDisposable {
  url: string;
  origin: string;
  /** What POST flows/password got, oldest first. */
  sent: { loginName: string; password: string }[];
}

export interface Answers {
  /** Slug of what GET flows/… refuses with. */
  flowProblem?: string;
  /** Slug of what POST flows/password refuses with; a function is asked at each try. Else it answers `callbackUrl`. */
  passwordProblem?: string;
  callbackUrl?: string;
}

/** Below a path of its own, as in an installation that shares its origin. */
const prefix = "/some/prefix/functions/v1/widget/";

export function serveSignInPage(answers: Answers = {}): SignInPage {
  const sent: SignInPage["sent"] = [];
  const handle = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(prefix)) return new Response("Not found", { status: 404 });
    const name = pathname.slice(prefix.length);
    if (name === "login") {
      return new Response(await loginPage("V2_1"), {
        headers: { "content-type": "text/html", "content-security-policy": pagePolicy },
      });
    }
    if (name === "flows/V2_1") {
      return answers.flowProblem ? problem(answers.flowProblem) : Response.json({
        appName: "Shop",
        tenantName: "Acme",
        allowed: { password: true },
      });
    }
    if (name === "flows/password") {
      sent.push(await request.json());
      return answers.passwordProblem
        ? problem(answers.passwordProblem)
        : Response.json({ callbackUrl: answers.callbackUrl });
    }
    const { bytes, type } = await loadAsset(name);
    return new Response(bytes, { headers: { "content-type": type } });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handle);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    origin,
    url: `${origin}${prefix}login`,
    sent,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const problem = (slug: string) =>
  Response.json({ type: `urn:gatehouse:problem:${slug}` }, { status: 400 });
