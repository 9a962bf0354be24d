/**
 * The local mailbox: takes mails by SMTP, shows them by HTTP.
 *
 *   MAILBOX_SMTP_LISTEN=127.0.0.1:8011 MAILBOX_LISTEN=127.0.0.1:8010 deno run scripts/stack/mailbox/main.ts
 *
 * Next: inbox.ts (what comes in), app.ts (what can be asked).
 */
import { listenAddress } from "../listen_address.ts";
import { mailbox } from "./app.ts";
import { openInbox } from "./inbox.ts";

const inbox = await openInbox(listenAddress("MAILBOX_SMTP_LISTEN"));
Deno.serve(
  { ...listenAddress("MAILBOX_LISTEN"), onListen: () => {} },
  mailbox(inbox.messages).fetch,
);
