/**
 * What is signed, and with which key: checkpoints as C2SP signed notes (https://c2sp.org/signed-note,
 * https://c2sp.org/tlog-checkpoint) and each leaf. Ed25519; the private key never enters the database.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { sign, verify } from "node:crypto"; // 23 and 36 µs; crypto.subtle takes 27 and 42, and a promise each
import { z } from "zod";
import { fromBase64, toBase64 } from "../secrets.ts";
import { type Hash, hashSize } from "./tree.ts";

/** Names the log of one tenant, as tlog-checkpoint asks: an address without its scheme. */
export function auditOrigin(publicUrl: string, tenantId: string): string {
  return `${publicUrl.replace(/^https?:\/\//, "")}/audit/${tenantId}`;
}

/** The beginning of a log: `size` leaves with this root. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Hash;
}

const PrivateJwk = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  d: z.string(),
  x: z.string(),
});

/** The key file's text (scripts/audit_key.ts). @throws {TypeError} */
export function readAuditKey(text: string): KeyObject {
  try {
    return createPrivateKey({ key: PrivateJwk.parse(JSON.parse(text)), format: "jwk" });
  } catch (cause) {
    throw new TypeError("This is no private key for Ed25519 as a JWK", { cause });
  }
}

/** A public key: a JWK, or a verifier key of C2SP (`name+id+key`), whose name is not looked at. @throws {TypeError} */
export function readPublicKey(text: string): KeyObject {
  try {
    const trimmed = text.trim();
    const x = trimmed.startsWith("{")
      ? z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string() })
        .parse(JSON.parse(trimmed)).x
      : rawOfVerifierKey(trimmed);
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch (cause) {
    throw new TypeError("This is no public key for Ed25519", { cause });
  }
}

export const publicOf = (key: KeyObject): KeyObject => createPublicKey(key);

function rawOfVerifierKey(text: string): string {
  const bytes = fromBase64(text.split("+").slice(2).join("+")); // base64 has a + of its own
  if (bytes[0] !== ed25519 || bytes.length !== 33) throw new TypeError("not Ed25519");
  return bytes.slice(1).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** `name+id+key`, as other tools that read signed notes take it. The name of our key is the log's origin. */
export function verifierKey(origin: string, key: KeyObject): string {
  const id = keyId(origin, key).toHex();
  return `${origin}+${id}+${toBase64(new Uint8Array([ed25519, ...rawOf(key)]))}`;
}

const ed25519 = 1; // signed-note's number of the algorithm

function rawOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(key.export({ format: "jwk" }).x!, { alphabet: "base64url" });
}

function keyId(name: string, key: KeyObject): Uint8Array {
  const hash = createHash("sha256").update(`${name}\n`).update(new Uint8Array([ed25519]));
  return new Uint8Array(hash.update(rawOf(key)).digest()).slice(0, 4);
}

/** Signs a checkpoint; `purpose` "tombstone" says that the records before `size` were removed by retention. */
export function signCheckpoint(
  { origin, size, root }: Checkpoint,
  key: KeyObject,
  purpose: "checkpoint" | "tombstone" = "checkpoint",
): string {
  const name = purpose === "checkpoint" ? origin : `${origin}/tombstone`;
  const text = `${name}\n${size}\n${toBase64(root)}\n`;
  const signature = sign(null, encoder.encode(text), key);
  const signed = new Uint8Array([...keyId(name, publicOf(key)), ...signature]);
  return `${text}\n— ${name} ${toBase64(signed)}\n`;
}

/** The checkpoint in a note that this key signed for this origin; null for everything else, whatever is wrong with it. */
export function openCheckpoint(
  note: string,
  origin: string,
  key: KeyObject,
  purpose: "checkpoint" | "tombstone" = "checkpoint",
): Checkpoint | null {
  const name = purpose === "checkpoint" ? origin : `${origin}/tombstone`;
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) return null;
  const text = note.slice(0, end + 1);
  const [line, sizeText = "", rootText = ""] = text.split("\n");
  const root = base64OrNull(rootText);
  if (line !== name || !/^(0|[1-9]\d{0,15})$/.test(sizeText) || root?.length !== hashSize) {
    return null;
  }
  const id = keyId(name, key).toHex();
  const signedByUs = note.slice(end + 2, -1).split("\n").some((line) => {
    if (!line.startsWith(`— ${name} `)) return false;
    const signed = base64OrNull(line.slice(name.length + 3));
    return signed?.length === 68 && signed.slice(0, 4).toHex() === id &&
      verify(null, encoder.encode(text), key, signed.slice(4));
  });
  return signedByUs ? { origin, size: Number(sizeText), root } : null;
}

/** The origin that a note claims, before anything is checked. */
export const claimedOrigin = (note: string): string =>
  note.slice(0, Math.max(0, note.indexOf("\n")));

function base64OrNull(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}

const encoder = new TextEncoder();

/** Says: this is record `index` of this log. No index is ever signed twice with different hashes (sealer.ts). */
export function signLeaf(origin: string, index: number, leaf: Hash, key: KeyObject): Uint8Array {
  return new Uint8Array(sign(null, leafText(origin, index, leaf), key));
}

export function verifyLeaf(
  origin: string,
  index: number,
  leaf: Hash,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  return signature.length === 64 && verify(null, leafText(origin, index, leaf), key, signature);
}

/** No checkpoint reads so: its second line is a number. */
function leafText(origin: string, index: number, leaf: Hash): Uint8Array {
  return encoder.encode(`gatehouse-audit-leaf/1\n${origin}\n${index}\n${toBase64(leaf)}\n`);
}
