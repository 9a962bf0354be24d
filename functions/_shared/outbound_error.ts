// Why a call through the door failed. The class is stable: it is kept in webhook_attempts.error_class and shown to callers.

export type OutboundErrorClass =
  | "url_refused" // the address breaks a rule of the door
  | "address_refused" // it leads outside the allowed networks
  | "dns_failed"
  | "connect_failed" // nothing was sent
  | "tls_failed" // nothing was sent
  | "timeout"
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
