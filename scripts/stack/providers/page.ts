// The sign-in page that every played provider has: plain HTML, one form.
export interface Exchange {
  method: string;
  /** As the browser or ZITADEL asked for it, below the provider's own host. */
  path: string;
  query: URLSearchParams;
  headers: Headers;
  form(): Promise<URLSearchParams>;
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string) => text.replace(/[&<>"]/g, (found) => escapes[found]!);

export function page(title: string, body: string, status = 200): Response {
  const document = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}` +
    `</title><style>body{font:16px system-ui;margin:4rem auto;max-width:20rem}` +
    `label,button{display:block;margin:.75rem 0}input{display:block;width:100%}</style>` +
    `<h1>${escape(title)}</h1>${body}</html>`;
  return new Response(document, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

/** `ticket`: the request that the sign-in goes on with. */
export function signInPage(title: string, action: string, ticket: string, wrong = false): Response {
  const note = wrong ? `<p role="alert">Wrong user name or password</p>` : "";
  return page(
    title,
    `<p>Played on this machine: this is not ${escape(title)}.</p>${note}` +
      `<form method="post" action="${escape(action)}">` +
      `<input type="hidden" name="ticket" value="${escape(ticket)}">` +
      `<label>User name <input name="username" autocomplete="username"></label>` +
      `<label>Password <input name="password" type="password" autocomplete="current-password"></label>` +
      `<button name="do" value="sign-in">Sign in</button>` +
      `<button name="do" value="cancel">Cancel</button></form>`,
    wrong ? 401 : 200,
  );
}

/** A form that sends itself; without scripts there is a button. */
export function postingPage(url: string, fields: Record<string, string>): Response {
  const inputs = Object.entries(fields).map(([name, value]) =>
    `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`
  );
  return page(
    "Going back",
    `<form method="post" action="${escape(url)}">${inputs.join("")}<button>Go on</button></form>` +
      `<script>document.forms[0].submit()</script>`,
  );
}

export const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
