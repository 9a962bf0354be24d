// A receiver's side of syslog, written from the RFCs and not from our sender: octet counting (RFC 6587, 3.4.1), RFC 5424.

export interface SyslogMessage {
  facility: number;
  severity: number;
  timestamp: string;
  hostname: string;
  app: string;
  process: string;
  messageId: string;
  data: Record<string, Record<string, string>>;
  text: string;
}

/** Takes whole frames off the front of `bytes`. @throws {SyntaxError} where it is not octet counting */
export function takeFrames(bytes: Uint8Array): { frames: Uint8Array[]; rest: Uint8Array } {
  const frames: Uint8Array[] = [];
  for (;;) {
    const space = bytes.indexOf(0x20);
    if (space < 0) return { frames, rest: bytes };
    const length = new TextDecoder().decode(bytes.subarray(0, space));
    if (!/^[1-9]\d*$/.test(length)) throw new SyntaxError(`"${length}" is no MSG-LEN`);
    const end = space + 1 + Number(length);
    if (bytes.byteLength < end) return { frames, rest: bytes };
    frames.push(bytes.subarray(space + 1, end));
    bytes = bytes.subarray(end);
  }
}

const printable = (length: number) => `([\\x21-\\x7e]{1,${length}})`;
const header = new RegExp(
  "^<(\\d{1,3})>1 " +
    "(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,6})?(?:Z|[+-]\\d\\d:\\d\\d)) " +
    [printable(255), printable(48), printable(128), printable(32)].join(" ") + " ",
);
const name = '([^\\x00-\\x20="\\]\\x7f-\\uffff]{1,32})';
const elementStart = new RegExp(`^\\[${name}`);
const parameter = new RegExp(`^ ${name}="((?:[^"\\\\\\]]|\\\\.)*)"`, "s");

/** @throws {SyntaxError} */
export function parseSyslog(frame: Uint8Array): SyslogMessage {
  const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(frame);
  const [head, priority, timestamp, hostname, app, process, messageId] = header.exec(whole) ?? [];
  if (head === undefined || Number(priority) > 191) throw new SyntaxError(`no header: ${whole}`);
  let rest = whole.slice(head.length);
  const data: SyslogMessage["data"] = {};
  if (rest.startsWith("-")) rest = rest.slice(1);
  for (let start; (start = elementStart.exec(rest));) {
    const element: Record<string, string> = data[start[1]!] = {};
    rest = rest.slice(start[0].length);
    for (let found; (found = parameter.exec(rest));) {
      element[found[1]!] = found[2]!.replace(/\\(["\\\]])/g, "$1");
      rest = rest.slice(found[0].length);
    }
    if (!rest.startsWith("]")) throw new SyntaxError(`an element that does not end: ${rest}`);
    rest = rest.slice(1);
  }
  if (rest !== "" && !rest.startsWith(" ")) throw new SyntaxError(`no MSG: ${rest}`);
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    timestamp: timestamp!,
    hostname: hostname!,
    app: app!,
    process: process!,
    messageId: messageId!,
    data,
    text: rest.slice(1),
  };
}
