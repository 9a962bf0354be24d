// A customer's page: our one origin in script-src and connect-src, no unsafe-inline, and a script that keeps what it hears.
import type { SignInPage } from "./sign_in_page.ts";

export interface CustomerPage extends AsyncDisposable {
  url: string;
  origin: string;
}

/** `attributes` of the element, read with each request. It is another site than ours: 127.0.0.1 beside localhost. */
export function serveCustomerPage(
  gatehouse: Pick<SignInPage, "origin" | "base">,
  attributes: Record<string, string> = {},
): CustomerPage {
  const standard = { "client-id": "c1", issuer: `${gatehouse.origin}/issuer` };
  const written = () =>
    Object.entries({ ...standard, ...attributes })
      .map(([name, value]) => ` ${name}="${value}"`).join("");
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/page.js") {
      return new Response(
        "globalThis.results = []; addEventListener('gatehouse-result', (e) => results.push(e.detail));",
        { headers: { "content-type": "text/javascript" } },
      );
    }
    return new Response(
      `<!doctype html><html lang="en"><title>Customer</title>
       <script src="${gatehouse.base}gatehouse.js" defer></script>
       <main><h1>Shop</h1><gatehouse-login${written()}></gatehouse-login></main>
       <script type="module" src="page.js"></script>`,
      {
        headers: {
          "content-type": "text/html",
          "content-security-policy":
            `default-src 'none'; script-src 'self' ${gatehouse.origin}; connect-src ${gatehouse.origin}`,
        },
      },
    );
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    origin,
    url: `${origin}/shop?item=7`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
