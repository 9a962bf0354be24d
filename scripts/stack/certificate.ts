/** A self-signed certificate (X.509 v3, RSA 2048, SHA-256), for what is played on this machine. It is its own authority. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { Buffer } from "node:buffer";

export interface Certificate {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  privateKey: string;
}

const validDays = 3650;

export function selfSigned(
  commonName: string,
  names: { dns?: string[]; ipv4?: string[] } = {},
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const name = sequence(set(sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from(commonName)))));
  const sha256WithRsa = sequence(oid(1, 2, 840, 113549, 1, 1, 11), tagged(0x05));
  const now = Date.now();
  const alternatives = [
    ...(names.dns ?? []).map((text) => tagged(0x82, Buffer.from(text))),
    ...(names.ipv4 ?? []).map((text) => tagged(0x87, Buffer.from(text.split(".").map(Number)))),
  ];
  // No basicConstraints: what calls itself an authority is taken for no server by rustls.
  const extensions = alternatives.length > 0
    ? [tagged(0xa3, sequence(extension(oid(2, 5, 29, 17), sequence(...alternatives))))] // subjectAltName
    : [];
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))), // v3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])), // positive
    sha256WithRsa,
    name,
    sequence(time(now - 86_400_000), time(now + validDays * 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    ...extensions,
  );
  const signature = tagged(
    0x03,
    Buffer.concat([Buffer.from([0]), sign("sha256", body, privateKey)]),
  );
  return {
    certificate: pem("CERTIFICATE", sequence(body, sha256WithRsa, signature)),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}
const sequence = (...parts: Uint8Array[]) => tagged(0x30, ...parts);
const set = (...parts: Uint8Array[]) => tagged(0x31, ...parts);
const integer = (bytes: Uint8Array) => tagged(0x02, bytes);
const extension = (id: Uint8Array, value: Uint8Array) => sequence(id, tagged(0x04, value));

/** Two digits of the year: good until 2049. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${text}Z`));
}

function oid(first: number, second: number, ...rest: number[]): Buffer {
  const bytes = rest.flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift(left & 0x7f | 0x80);
    return groups;
  });
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
