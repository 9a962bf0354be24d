/**
 * As much LDAP (RFC 4511) as testing a connection takes: StartTLS, a simple bind, and whether an entry is there. Over a connection that
 * the door made, which no LDAP library takes.
 */
const tags = { sequence: 0x30, integer: 0x02, enumerated: 0x0a, text: 0x04, boolean: 0x01 };
const startTlsOid = "1.3.6.1.4.1.1466.20037";

/** What the directory answered; 0 is success (RFC 4511, 4.1.9). */
export const resultCodes = { success: 0, noSuchObject: 32, invalidCredentials: 49 };

/** Not LDAP, or cut off. */
export class LdapError extends Error {
  override readonly name = "LdapError";
}

export class LdapConnection {
  #conn: Deno.Conn;
  #buffer = new Uint8Array(0);
  #id = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // the other side was first
    }
  }

  /** @throws {LdapError} the directory will not · the error of the handshake */
  async startTls(hostname: string, caCerts: string[]): Promise<void> {
    const code = await this.#result(tlv(0x77, tlv(0x80, bytes(startTlsOid))));
    if (code !== 0) throw new LdapError(`The directory answered StartTLS by ${code}`);
    const secure = await Deno.startTls(this.#conn as Deno.TcpConn, { hostname, caCerts });
    await secure.handshake();
    this.#conn = secure;
  }

  async bind(dn: string, password: string): Promise<number> {
    return await this.#result(
      tlv(0x60, integer(3), tlv(tags.text, bytes(dn)), tlv(0x80, bytes(password))),
    );
  }

  /** The entry itself, nothing below it, none of its attributes. */
  async look(dn: string): Promise<number> {
    return await this.#result(tlv(
      0x63,
      tlv(tags.text, bytes(dn)),
      tlv(tags.enumerated, [0]), // scope: the base object
      tlv(tags.enumerated, [0]), // aliases are not followed
      integer(1),
      integer(5), // seconds
      tlv(tags.boolean, [0]),
      tlv(0x87, bytes("objectClass")), // present
      tlv(tags.sequence, tlv(tags.text, bytes("1.1"))),
    ));
  }

  /** Entries that come first are passed over; the last message of an operation has the result. */
  async #result(operation: number[]): Promise<number> {
    const message = tlv(tags.sequence, integer(++this.#id), operation);
    const writer = this.#conn.writable.getWriter();
    try {
      await writer.write(Uint8Array.from(message));
    } finally {
      writer.releaseLock();
    }
    for (;;) {
      const [tag, content] = part(await this.#message());
      if (tag !== tags.integer) throw new LdapError("The answer is not LDAP");
      const [operationTag, body] = part(content.rest);
      if (operationTag === 0x64 || operationTag === 0x73) continue; // an entry, a reference
      const [codeTag, code] = part(body.value);
      if (codeTag !== tags.enumerated) throw new LdapError("The answer has no result");
      return code.value[0] ?? 0;
    }
  }

  async #message(): Promise<Uint8Array> {
    for (;;) {
      const whole = sizeOf(this.#buffer);
      if (whole !== null && this.#buffer.length >= whole) {
        const [tag, { value }] = part(this.#buffer.subarray(0, whole));
        if (tag !== tags.sequence) throw new LdapError("The answer is not LDAP");
        this.#buffer = this.#buffer.slice(whole);
        return value;
      }
      if (this.#buffer.length > 65_536) throw new LdapError("The answer is too long");
      const chunk = new Uint8Array(4096);
      const read = await this.#conn.read(chunk);
      if (read === null) throw new LdapError("The directory closed the connection");
      const grown = new Uint8Array(this.#buffer.length + read);
      grown.set(this.#buffer);
      grown.set(chunk.subarray(0, read), this.#buffer.length);
      this.#buffer = grown;
    }
  }
}

const bytes = (text: string) => [...new TextEncoder().encode(text)];
const integer = (value: number) => tlv(tags.integer, [value]); // below 128

function tlv(tag: number, ...parts: number[][]): number[] {
  const content = parts.flat();
  const { length } = content;
  const head = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return [tag, ...head, ...content];
}

/** Of a message that has begun; null: not enough of it to tell. */
function sizeOf(data: Uint8Array): number | null {
  if (data.length < 2) return null;
  const first = data[1]!;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new LdapError("The answer is not LDAP");
  if (data.length < 2 + count) return null;
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + data[2 + i]!;
  return 2 + count + length;
}

function part(data: Uint8Array): [tag: number, { value: Uint8Array; rest: Uint8Array }] {
  const whole = sizeOf(data);
  if (whole === null || whole > data.length) throw new LdapError("The answer is cut off");
  const head = data[1]! < 0x80 ? 2 : 2 + (data[1]! & 0x7f);
  return [data[0]!, { value: data.subarray(head, whole), rest: data.subarray(whole) }];
}
