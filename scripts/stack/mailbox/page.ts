import { html } from "hono/html";
import type { Message } from "./inbox.ts";

export type View = "html" | "text" | "headers";
export type Scheme = "light" | "dark";

export interface Opened {
  message: Message;
  view: View;
  scheme: Scheme;
}

/** The list, and the mail that is open. Without one it looks for new mails by itself. */
export function page(messages: Message[], opened: Opened | undefined) {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${opened ? opened.message.subject : `Mailbox (${messages.length})`}</title>
    <link rel="stylesheet" href="/mailbox.css">
    ${opened ? "" : html`<meta http-equiv="refresh" content="2">`}
      </head>
      <body class="${opened ? "reading" : ""}">
        <header><a href="/">Mailbox</a> <span>what this stack sent; nothing leaves this machine</span></header>
        <nav aria-label="Mails">
    ${messages.length === 0
      ? html`<p class="none">No mail yet. Ask for one: register, or forget a password.</p>`
      : html`<ol reversed>${[...messages].reverse().map((one) => row(one, opened))}</ol>`}
        </nav>
        <main>${opened ? mail(opened) : html`<p class="none">Choose a mail.</p>`}</main>
      </body>
    </html>
  `;
}

function row({ id, at, to, subject }: Message, opened: Opened | undefined) {
  const current = opened?.message.id === id
    ? html`
      aria-current="true"
    `
    : "";
  const suffix = opened ? `?view=${opened.view}&scheme=${opened.scheme}` : "";
  return html`<li><a href="/messages/${id}${suffix}"${current}>
<b dir="auto">${subject}</b> <span dir="auto">${to.join(", ")}</span> <time datetime="${at}">${
    at.slice(11, 19)
  }</time></a></li>`;
}

function mail({ message, view, scheme }: Opened) {
  const { id, from, to, subject, at } = message;
  const tab = (label: string, target: View, dark: Scheme) => {
    const here = target === view && (target !== "html" || dark === scheme);
    return html`
      <a href="/messages/${id}?view=${target}&scheme=${dark}" ${here
        ? html`
          aria-current="page"
        `
        : ""}>${label}</a>
    `;
  };
  return html`<article>
<h1 dir="auto">${subject}</h1>
<dl><dt>From</dt><dd dir="auto">${from}</dd><dt>To</dt><dd dir="auto">${
    to.join(", ")
  }</dd><dt>Arrived</dt><dd>${at}</dd></dl>
<p class="tabs">${tab("Light", "html", "light")} ${tab("Dark", "html", "dark")} ${
    tab("Plain text", "text", scheme)
  } ${tab("Headers", "headers", scheme)}</p>
${body(message, view, scheme)}
</article>`;
}

function body(message: Message, view: View, scheme: Scheme) {
  if (view === "text") return html`<pre dir="auto">${message.text}</pre>`;
  if (view === "headers") {
    const lines = Object.entries(message.headers).map(([name, value]) => `${name}: ${value}`);
    return html`<pre>${lines.join("\n")}</pre>`;
  }
  return html`
    <iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"
      src="/messages/${message.id}/body?scheme=${scheme}"></iframe>
  `;
}
