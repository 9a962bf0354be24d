// Why a call through the door failed. The class is stable: it is kept in webhook_attempts.error_class (a proxy's is not: then there was no attempt) and shown to callers.

export type OutboundErrorClass =
  | "url_refused" // the address breaks a rule of the door
  | "address_refused" // it leads outside the allowed networks
  | "dns_failed" // the name does not resolve
  | "connect_failed" // nobody listens there, or the proxy cannot reach it; nothing was sent
  | "proxy_unreachable" // nobody answers as a proxy where configuration says there is one; nothing was sent
  | "proxy_refused" // the proxy does not let the call through (403), or wants other credentials (407); nothing reached the receiver
  | "tls_failed" // no certificate of a trusted authority for that name; nothing was sent
  | "timeout" // no whole answer in time; the request may have been sent
  | "connection_lost" // after the request may have been sent
  | "protocol_error"; // the answer is not HTTP

export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly errorClass: OutboundErrorClass;
  constructor(errorClass: OutboundErrorClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.errorClass = errorClass;
  }
}
