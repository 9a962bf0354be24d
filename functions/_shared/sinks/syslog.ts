/**
 * A sink of kind syslog: RFC 5424 over TCP (RFC 6587) or TLS (RFC 5425), one connection a batch.
 *
 * Syslog has no answer, so written bytes prove nothing: they may lie in a buffer of ours when the receiver dies. We close
 * our side after the last message and wait until the receiver closes its own, which it does when it has read everything.
 * A receiver that never does gets `confirm: false`, and the loss of a batch when it dies is then possible.
 */
import { z } from "zod";
import { OutboundError } from "../outbound_error.ts";
import type { ConnectRequest } from "../outbound_connect.ts";
import { type Batch, SinkError } from "./sink.ts";
import { checkpointMessage, eventMessage, frame } from "./syslog_message.ts";

export const SyslogSettings = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  transport: z.enum(["tcp", "tls"]),
  /** PEM of the receiver's authority, trusted besides the built-in ones. */
  ca: z.string().max(20_000).startsWith("-----BEGIN CERTIFICATE-----").optional(),
  facility: z.int().min(0).max(23).default(13),
  enterpriseId: z.int().min(1).max(4_294_967_295).default(32473),
  confirm: z.boolean().default(true),
});
export type SyslogSettings = z.output<typeof SyslogSettings>;

export async function sendSyslog(
  { host, port, transport, ca, confirm, ...names }: SyslogSettings,
  { events, checkpoints }: Batch,
  { connect, hostname, timeoutMs = 15_000 }: {
    connect: (request: ConnectRequest) => Promise<Deno.Conn>;
    /** Who we are, in each message. */
    hostname: string;
    timeoutMs?: number;
  },
): Promise<void> {
  const options = { ...names, hostname };
  const messages = [
    ...events.map((event) => eventMessage(event, options)),
    ...checkpoints.map((checkpoint) => checkpointMessage(checkpoint, options)),
  ];
  const bytes = new Uint8Array(await new Blob(messages.map(frame)).arrayBuffer());
  const tls = transport === "tls" ? { ca } : undefined;
  const connection = await connect({ host, port, tls, timeoutMs });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    connection.close();
  }, timeoutMs);
  try {
    for (let at = 0; at < bytes.byteLength;) at += await connection.write(bytes.subarray(at));
    await connection.closeWrite();
    if (confirm) await untilClosed(connection);
  } catch (cause) {
    if (!late) throw new OutboundError("connection_lost", "The connection was lost", { cause });
    throw new SinkError("not_confirmed", `The receiver did not close within ${timeoutMs} ms`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
    if (!late) connection.close();
  }
}

/** What a receiver says meanwhile is read and dropped. */
async function untilClosed(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (await connection.read(buffer) !== null);
}
