// Why a call through the door failed. The class is stable: it is kept in webhook_attempts.error_class and shown to callers.

export type OutboundErrorClass =
  | "url_refused" // the address breaks a rule of the door
  | "address_refused" // it leads outside the allowed networks
  | "dns_failed" // the name does not resolve
  | "connect_failed" // nobody listens there; nothing was sent
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
