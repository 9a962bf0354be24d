// A raw connection to a judged address, or through a proxy, for what is not HTTP: syslog. outbound.ts decides which addresses.
import { OutboundError } from "./outbound_error.ts";
import type { ForwardProxy } from "./outbound_proxy.ts";
import { openTunnel } from "./outbound_tunnel.ts";

export interface ConnectRequest {
  /** A name or an address, without a port. */
  host: string;
  port: number;
  /** Undefined: in the clear, then only to networks that configuration allows. */
  tls?: {
    /** PEM of an authority to trust besides the built-in ones. */
    ca?: string | undefined;
  } | undefined;
  /** From the look-up of the name to the end of the handshake. Default 15 000. */
  timeoutMs?: number;
}

/** Syslog's own ports (RFC 3164's, RFC 6587's), and above 1023 what the door's port rule lets through. */
export const syslogPorts = new Set([514, 601]);
/** Of directories: LDAP's own, and Active Directory's global catalogue. */
export const directoryPorts = new Set([389, 636, 3268, 3269]);

export interface Target {
  /** The certificate's name. */
  hostname: string;
  via: { address: string } | { proxy: ForwardProxy };
  port: number;
  tls: { caCerts: string[] } | undefined;
  deadline: AbortSignal;
}

/** @throws {OutboundError} connect_failed, proxy_unreachable, proxy_refused, tls_failed, timeout */
export async function connectTo(target: Target): Promise<Deno.Conn> {
  const { hostname, via, port, tls, deadline } = target;
  const plain = "proxy" in via
    ? await openTunnel({ proxy: via.proxy, hostname, port, deadline })
    : await Deno.connect({ hostname: via.address, port, signal: deadline }).catch((cause) => {
      throw deadline.aborted ? late(cause) : failed("connect_failed", "Cannot connect", cause);
    });
  if (!tls) return plain;
  const close = () => plain.close(); // ends a handshake that hangs
  deadline.addEventListener("abort", close, { once: true });
  try {
    const secure = await Deno.startTls(plain, { hostname, caCerts: tls.caCerts });
    await secure.handshake();
    return secure;
  } catch (cause) {
    if (deadline.aborted) throw late(cause);
    try {
      plain.close();
    } catch {
      // it went with the handshake
    }
    throw failed("tls_failed", "No trusted TLS connection could be made", cause);
  } finally {
    deadline.removeEventListener("abort", close);
  }
}

const failed = (errorClass: OutboundError["errorClass"], why: string, cause: unknown) =>
  new OutboundError(errorClass, why, { cause });
const late = (cause: unknown) => failed("timeout", "There was no connection in time", cause);
