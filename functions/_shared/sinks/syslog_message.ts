// One event as a message of RFC 5424, framed by RFC 6587's octet counting (which RFC 5425 takes over for TLS).
import type { Checkpoint, SinkEvent } from "./sink.ts";
import { checkpointText, checkpointType } from "./sink.ts";
import { severities, severityOf } from "./syslog_severity.ts";

export interface MessageOptions {
  /** 0 to 23; 13 is «log audit». */
  facility: number;
  /** Whose names the structured data has (IANA private enterprise number); 32473 is the one for examples, RFC 5612. */
  enterpriseId: number;
  /** HOSTNAME: who we are. */
  hostname: string;
}

export function eventMessage(event: SinkEvent, options: MessageOptions): string {
  const [target] = event.targets;
  return message({
    ...options,
    severity: severityOf(event.type),
    at: event.occurredAt,
    type: event.type,
    data: {
      id: event.id,
      seq: String(event.seq),
      tenant: event.tenantId,
      type: event.type,
      actor_kind: event.actor.kind,
      actor: event.actor.id ?? undefined,
      target_kind: target?.kind,
      target: target?.id ?? undefined,
    },
    text: event.text,
  });
}

export function checkpointMessage(checkpoint: Checkpoint, options: MessageOptions): string {
  return message({
    ...options,
    severity: severities.informational,
    at: checkpoint.createdAt,
    type: checkpointType,
    data: {
      type: checkpointType,
      tenant: checkpoint.tenantId,
      size: String(checkpoint.size),
    },
    text: checkpointText(checkpoint),
  });
}

interface Message extends MessageOptions {
  severity: number;
  at: string;
  type: string;
  data: Record<string, string | undefined>;
  text: string;
}

function message({ facility, severity, at, hostname, type, enterpriseId, data, text }: Message) {
  const parameters = Object.entries(data).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}="${parameterValue(value)}"`]
  );
  return [
    `<${facility * 8 + severity}>1`,
    new Date(at).toISOString(), // milliseconds; the text has the whole
    printable(hostname, 255),
    "gatehouse",
    "-",
    printable(type, 32),
    `[gatehouse@${enterpriseId}${parameters.join("")}]`,
    ascii(text),
  ].join(" ");
}

/** RFC 5424, 6.3.3: three characters are escaped, the rest is UTF-8. A control character would break what reads by lines. */
function parameterValue(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/["\\\]]/g, "\\$&").replace(/[\x00-\x1f\x7f]/g, " ");
}

/** PRINTUSASCII, or the nil value. */
function printable(text: string, length: number): string {
  return text.replace(/[^\x21-\x7e]/g, "").slice(0, length) || "-";
}

/** JSON in ASCII is MSG-ANY: a message in UTF-8 would have to begin with a byte order mark, which breaks who parses it. */
function ascii(json: string): string {
  return json.replace(
    /[\u007f-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** `MSG-LEN SP SYSLOG-MSG`, the length in octets. */
export function frame(text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const bytes = encoder.encode(text);
  const head = encoder.encode(`${bytes.byteLength} `);
  const framed = new Uint8Array(head.byteLength + bytes.byteLength);
  framed.set(head);
  framed.set(bytes, head.byteLength);
  return framed;
}
