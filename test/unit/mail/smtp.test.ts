// The way out: a real server on loopback, with and without TLS, that takes a mail or refuses it.
import assert from "node:assert/strict";
import net from "node:net";
import { MailError, type Message, sendMail } from "../../../functions/_worker/mail/smtp.ts";
import type { MailServer } from "../../../functions/_worker/mail/server.ts";
import { MailReceiver, type ReceiverOptions } from "../../support/smtp.ts";
import { authority, receiver as certificate } from "../_shared/outbound_tls.ts";

const message: Message = {
  id: "01990000-0000-7000-8000-000000000001@gatehouse.test",
  to: "vera@acme.test",
  senderName: 'Acme "Ünter" <x@evil.test>, GmbH',
  subject: "Grüße\r\nBcc: all@evil.test",
  text: "Code: A1B2C3\n.\nafter the dot\n",
  html: '<p>Code: A1B2C3</p><img src="cid:logo@gatehouse">',
  language: "de",
  date: new Date("2026-11-22T10:00:00Z"),
  inline: [{ id: "logo@gatehouse", mediaType: "image/png", base64: "iVBORw0KGgo=" }],
};

const credentials = { user: "gatehouse", password: "s3cret-Passw0rd" };
/** The certificate is for that name, which nobody else resolves. */
const named: Partial<MailServer> = { host: "receiver.test", ca: authority };
const resolve = () => Promise.resolve(["127.0.0.1"]);

async function refused(
  work: Promise<void>,
  slug: string,
  permanent: boolean,
  code?: number,
  enhanced?: string,
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert(error instanceof MailError, String(error));
    const { slug: own, permanent: ends, code: reply, enhanced: more } = error;
    assert.deepEqual([own, ends, reply, more], [slug, permanent, code, enhanced]);
    assert(!error.message.includes("acme"), "addresses stay out of messages");
    return true;
  });
}

Deno.test("a mail arrives as it was written, with a Message-ID of ours and nothing smuggled in", async () => {
  await using server = await MailReceiver.start();
  await sendMail(server.server(), message);
  const [mail, ...more] = server.taken;
  assert.equal(more.length, 0);
  assert.deepEqual(mail!.to, ["vera@acme.test"]);
  assert.equal(mail!.messageId, `<${message.id}>`);
  assert.equal(mail!.headers.date, "Sun, 22 Nov 2026 10:00:00 +0000");
  assert.match(mail!.from, /<no-reply@gatehouse\.test>$/);
  assert.equal(mail!.headers.bcc, undefined);
  assert.doesNotMatch(mail!.raw, /^Bcc:/m);
  assert.equal(mail!.headers["auto-submitted"], "auto-generated");
  assert.equal(mail!.headers["content-language"], "de");
  assert.match(mail!.text, /A1B2C3\n\.\nafter the dot/);
  assert.match(mail!.html, /src="data:image\/png;base64,iVBORw0KGgo="/);
  assert.match(mail!.raw, /^Content-Type: multipart\/alternative/m);
});

Deno.test("STARTTLS and TLS from the first byte, by an authority of one's own, with a login", async () => {
  for (const tls of ["starttls", "implicit"] as const) {
    const options: ReceiverOptions = {
      tls: certificate,
      implicit: tls === "implicit",
      credentials,
    };
    await using server = await MailReceiver.start(options);
    await sendMail(server.server({ ...named, tls, credentials }), message, { resolve });
    const [mail] = server.taken;
    assert.deepEqual([mail!.secure, mail!.user], [true, "gatehouse"], tls);
  }
});

Deno.test("a certificate of another authority or for another name is refused, before anything is said", async () => {
  for (const tls of ["starttls", "implicit"] as const) {
    const options: ReceiverOptions = { tls: certificate, implicit: tls === "implicit" };
    await using server = await MailReceiver.start(options);
    const send = (more: Partial<MailServer>) =>
      sendMail(server.server({ ...named, tls, ...more }), message, { resolve });
    await refused(send({ ca: undefined }), "tls_failed", false);
    await refused(send({ host: "other.test" }), "tls_failed", false);
    assert.deepEqual(server.seen, { sender: 0, recipient: 0, data: 0 });
  }
});

Deno.test("where TLS is required a server without it hears neither the mail nor the password", async () => {
  await using server = await MailReceiver.start();
  const ours = server.server({ ...named, tls: "starttls", credentials });
  await refused(sendMail(ours, message, { resolve }), "tls_failed", false, 500, undefined);
  assert.deepEqual(server.seen, { sender: 0, recipient: 0, data: 0 });
});

Deno.test("what a server refuses is told apart: for good, for now, and what an operator can mend", async () => {
  await using server = await MailReceiver.start();
  const send = () => sendMail(server.server(), message);
  server.onSender = () => "550 5.7.1 not from there";
  await refused(send(), "sender_refused", false, 550, "5.7.1");
  server.onSender = () => undefined;
  server.onRecipient = () => "450 4.7.1 come back, vera@acme.test";
  await refused(send(), "recipient_refused", false, 450, "4.7.1");
  server.onRecipient = () => "550 5.1.1 vera@acme.test is unknown";
  await refused(send(), "recipient_refused", true, 550, "5.1.1");
  server.onRecipient = () => undefined;
  server.onData = () => "451 no space";
  await refused(send(), "content_refused", false, 451);
  server.onData = () => "554 5.6.0 no";
  await refused(send(), "content_refused", true, 554, "5.6.0");
  assert.deepEqual(server.taken, []);

  await using closed = await MailReceiver.start({ tls: certificate, credentials });
  const wrong = closed.server({
    ...named,
    tls: "starttls",
    credentials: { ...credentials, password: "x" },
  });
  await refused(sendMail(wrong, message, { resolve }), "login_refused", false, 535, "5.7.8");
});

Deno.test("a server that is not there, says nothing or goes away is no reason to wait for ever", async () => {
  const gone = await MailReceiver.start();
  const server = gone.server();
  await gone[Symbol.asyncDispose]();
  await refused(sendMail(server, message), "server_unreachable", false);
  const unknown = { ...server, host: "no-such.test" };
  const fails = () => Promise.reject(new Error("ENOTFOUND"));
  await refused(sendMail(unknown, message, { resolve: fails }), "server_unreachable", false);

  const silent = net.createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as net.AddressInfo;
  const work = sendMail({ ...server, port }, message, { timeoutMs: 200 });
  await assert.rejects(work, (error) => error instanceof MailError && !error.permanent);
  await new Promise((resolve) => silent.close(resolve));

  await using dying = await MailReceiver.start();
  dying.onData = () => {
    dying.dropConnections();
    return undefined;
  };
  await refused(sendMail(dying.server(), message), "connection_lost", false);
});
