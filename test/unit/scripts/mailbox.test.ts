// The local mailbox: what was sent can be read, as mail programs show it, and by nobody else's page.
import assert from "node:assert/strict";
import { sendMail } from "../../../functions/_worker/mail/smtp.ts";
import { mailbox } from "../../../scripts/stack/mailbox/app.ts";
import { openInbox } from "../../../scripts/stack/mailbox/inbox.ts";

const local = { headers: { host: "127.0.0.1:8010" } };

Deno.test("a mail that was sent is on the page and in the list", async () => {
  const inbox = await openInbox({ hostname: "127.0.0.1", port: 0 });
  try {
    await sendMail({
      ...{ host: "127.0.0.1", port: inbox.port, tls: "none", ca: undefined },
      ...{ credentials: undefined, from: "no-reply@id.example", clientName: "id.example" },
    }, {
      id: "1@id.example",
      to: "vera@acme.example",
      senderName: "Acme",
      subject: "<b>Hello</b>",
      text: "Code: A1B2C3",
      html: "<html><head><style>@media (prefers-color-scheme:dark){p{color:red}}</style></head>" +
        '<body><script>alert(1)</script><p>Code</p><a href="https://id.example/">open</a></body>',
      language: "en",
      date: new Date(),
      inline: [],
    });
    const app = mailbox(inbox.messages);
    const text = async (path: string) => await (await app.request(path, local)).text();
    const [message, ...more] = await (await app.request("/messages", local)).json();
    assert.equal(more.length, 0);
    assert.deepEqual([message.to, message.subject, message.messageId], [
      ["vera@acme.example"],
      "<b>Hello</b>",
      "<1@id.example>",
    ]);
    for (const path of ["/", "/messages/1", "/messages/1?view=text", "/messages/1?view=headers"]) {
      const shown = await text(path);
      assert(shown.includes("&lt;b&gt;Hello&lt;/b&gt;"), path);
      assert(!shown.includes("<b>Hello"), path);
    }
    assert((await text("/messages/1?view=text")).includes("A1B2C3"));

    const body = await app.request("/messages/1/body?scheme=dark", local);
    const policy = body.headers.get("content-security-policy")!;
    assert.match(policy, /^sandbox allow-popups/);
    assert.doesNotMatch(policy, /allow-scripts|allow-same-origin|script-src/);
    const [dark, light] = [await body.text(), await text("/messages/1/body?scheme=light")];
    assert(dark.includes("@media all{") && light.includes("@media not all{"));

    assert.equal((await app.request("/messages/2", local)).status, 404);
    assert.equal((await app.request("/messages", { ...local, method: "DELETE" })).status, 204);
    assert.equal(await text("/messages"), "[]");
  } finally {
    await inbox.close();
  }
});

Deno.test("a page that calls this machine by a name of its own gets nothing", async () => {
  const app = mailbox([]);
  for (const host of ["evil.example:8010", "evil.example", ""]) {
    assert.equal((await app.request("/messages", { headers: { host } })).status, 421, host);
  }
  assert.equal(
    (await app.request("/messages", { headers: { host: "localhost:8010" } })).status,
    200,
  );
});
