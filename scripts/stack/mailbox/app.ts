/**
 * The mails that the stack sent, to read. Whoever is on this machine can: it is for development only. Other sites cannot, by whatever
 * name they call this machine.
 *
 * `GET /` the page · `GET /messages` all as JSON, oldest first · `DELETE /messages` forgets them · `GET /messages/:id` one on the page
 * (`?view=html|text|headers&scheme=light|dark`) · `GET /messages/:id/body?scheme=…` its HTML for the frame
 */
import { Hono } from "hono";
import type { Message } from "./inbox.ts";
import { page, type Scheme, type View } from "./page.ts";

const thisMachine = /^(127\.0\.0\.1|localhost)(:\d+)?$/;
const stylesheet = new URL("mailbox.css", import.meta.url);

/** The frame shows what anybody sent: it loads nothing, runs nothing, and its links open elsewhere. */
const bodyPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; " +
  "img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'";
const pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'";

export function mailbox(messages: Message[]): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    if (!thisMachine.test(c.req.header("host") ?? "")) return c.text("Misdirected", 421);
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
    await next();
  });
  app.get("/mailbox.css", async (c) => {
    c.header("content-type", "text/css; charset=utf-8");
    return c.body(await Deno.readTextFile(stylesheet));
  });
  app.get("/messages", (c) => c.json(messages));
  app.delete("/messages", (c) => {
    messages.length = 0;
    return c.body(null, 204);
  });
  app.get("/", (c) => {
    c.header("content-security-policy", pagePolicy);
    return c.html(page(messages, undefined));
  });
  app.get("/messages/:id", (c) => {
    const open = messages.find(({ id }) => id === c.req.param("id"));
    if (!open) return c.notFound();
    c.header("content-security-policy", pagePolicy);
    return c.html(
      page(messages, {
        message: open,
        view: viewOf(c.req.query("view")),
        scheme: schemeOf(c.req.query("scheme")),
      }),
    );
  });
  app.get("/messages/:id/body", (c) => {
    const open = messages.find(({ id }) => id === c.req.param("id"));
    if (!open) return c.notFound();
    c.header("content-security-policy", bodyPolicy);
    return c.html(inScheme(open.html, schemeOf(c.req.query("scheme"))));
  });
  return app;
}

const viewOf = (text: string | undefined): View =>
  text === "text" || text === "headers" ? text : "html";
const schemeOf = (text: string | undefined): Scheme => text === "dark" ? "dark" : "light";

/** As a mail program in that scheme shows it, whatever this browser is set to. */
function inScheme(html: string, scheme: Scheme): string {
  const other = scheme === "dark" ? "light" : "dark";
  return html
    .replaceAll(
      /\(prefers-color-scheme:\s*(dark|light)\)/g,
      (_, one) => one === other ? "not all" : "all",
    )
    .replaceAll("color-scheme:light dark", `color-scheme:${scheme}`)
    .replace(/<head>/i, '<head><base target="_blank">');
}
