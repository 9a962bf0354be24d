/**
 * What is signed, and with which key: checkpoints as C2SP signed notes (https://c2sp.org/signed-note,
 * https://c2sp.org/tlog-checkpoint) and each leaf. Ed25519; the private key never enters the database.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { sign, verify } from "node:crypto"; // 23 and 36 µs; crypto.subtle takes 27 and 42, and a promise each
import { fromBase64, toBase64 } from "../secrets.ts";
import { type Hash, hashSize } from "./tree.ts";

/** Names the log of one tenant, as tlog-checkpoint asks: an address without its scheme. */
export function auditOrigin(publicUrl: string, tenantId: string): string {
  return `${publicUrl.replace(/^https?:\/\//, "")}/audit/${tenantId}`;
}

/** Whether the log of this name is the tenant's, under whatever address. */
export const isOriginOf = (origin: string, tenantId: string): boolean =>
  origin.endsWith(`/audit/${tenantId}`);

/** The tenant whose log has this name; what follows the last slash when it is no log's. */
export const tenantOf = (origin: string): string => origin.slice(origin.lastIndexOf("/") + 1);

/** The beginning of a log: `size` leaves with this root. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Hash;
}

/** A checkpoint as it was found in a signed note. */
export interface OpenedCheckpoint extends Checkpoint {
  /** Those of the keys asked for that signed it, by name. Not empty. */
  signers: string[];
}

/** One, or several in the order of use. */
export type Keys = KeyObject | readonly KeyObject[];

export const keyList = (keys: Keys): readonly KeyObject[] =>
  "length" in keys ? keys : [keys as KeyObject];

export const publicOf = (key: KeyObject): KeyObject => createPublicKey(key);

/** `name+id+key`, as other tools that read signed notes take it. The name of our key is the log's origin. */
export function verifierKey(origin: string, key: KeyObject): string {
  const id = keyId(origin, key).toHex();
  return `${origin}+${id}+${toBase64(new Uint8Array([ed25519, ...rawOf(key)]))}`;
}

export const ed25519 = 1; // signed-note's number of the algorithm

function rawOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(key.export({ format: "jwk" }).x!, { alphabet: "base64url" });
}

/** How a key is named in notes and events: its 32 bytes in base64. */
export const keyName = (key: KeyObject): string => toBase64(rawOf(key));

function keyId(name: string, key: KeyObject): Uint8Array {
  const hash = createHash("sha256").update(`${name}\n`).update(new Uint8Array([ed25519]));
  return new Uint8Array(hash.update(rawOf(key)).digest()).slice(0, 4);
}

/** A signed note: its text, which ends with a line feed, and a line for each key. Private keys. */
export function signNote(name: string, text: string, keys: readonly KeyObject[]): string {
  const lines = keys.map((key) => {
    const signature = sign(null, encoder.encode(text), key);
    const signed = new Uint8Array([...keyId(name, publicOf(key)), ...signature]);
    return `— ${name} ${toBase64(signed)}\n`;
  });
  return `${text}\n${lines.join("")}`;
}

/** Those of the keys that signed the note under this name. Public keys. */
export function signersOf(note: string, name: string, keys: readonly KeyObject[]): KeyObject[] {
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) return [];
  const text = encoder.encode(note.slice(0, end + 1));
  const signatures = note.slice(end + 2, -1).split("\n").flatMap((line) => {
    if (!line.startsWith(`— ${name} `)) return [];
    const signed = base64OrNull(line.slice(name.length + 3));
    return signed?.length === 68 ? [signed] : [];
  });
  return keys.filter((key) => {
    const id = keyId(name, key).toHex();
    return signatures.some((signed) =>
      signed.slice(0, 4).toHex() === id && verify(null, text, key, signed.slice(4))
    );
  });
}

export type NotePurpose = "checkpoint" | "tombstone";

/**
 * The name that a note of a log is signed under; null for a log that is called as the tombstones of another. One key signs
 * both, so a note is one or the other by its name alone.
 */
function noteName(origin: string, purpose: NotePurpose): string | null {
  if (origin.endsWith("/tombstone")) return null;
  return purpose === "checkpoint" ? origin : `${origin}/tombstone`;
}

/**
 * Signs a checkpoint; `purpose` "tombstone" says that the records before `size` were removed by retention.
 * @throws {TypeError} for an origin that ends as the name of tombstones does
 */
export function signCheckpoint(
  { origin, size, root }: Checkpoint,
  keys: Keys,
  purpose: NotePurpose = "checkpoint",
): string {
  const name = noteName(origin, purpose);
  if (name === null) throw new TypeError(`"${origin}" is no origin of a log`);
  return signNote(name, `${name}\n${size}\n${toBase64(root)}\n`, keyList(keys));
}

/** The checkpoint in a note that one of the keys signed for this origin; null for everything else, whatever is wrong with it. */
export function openCheckpoint(
  note: string,
  origin: string,
  keys: Keys,
  purpose: NotePurpose = "checkpoint",
): OpenedCheckpoint | null {
  const name = noteName(origin, purpose);
  const [line, sizeText = "", rootText = ""] = note.slice(0, note.lastIndexOf("\n\n") + 1)
    .split("\n");
  const root = base64OrNull(rootText);
  if (
    name === null || line !== name || !/^(0|[1-9]\d{0,15})$/.test(sizeText) ||
    root?.length !== hashSize
  ) {
    return null;
  }
  const signers = signersOf(note, name, keyList(keys)).map(keyName);
  return signers.length > 0 ? { origin, size: Number(sizeText), root, signers } : null;
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
