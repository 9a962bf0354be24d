/**
 * The keys that sign the log, and how one follows another. The key file is one private JWK, or a JWK Set in the order of
 * use: the last key signs; one before it that still has its private half signs checkpoints too, until its `cosigns_until`;
 * one without it only opens what it signed. scripts/audit_key.ts makes it; docs/audit.md says when.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { fromBase64 } from "../secrets.ts";
import { ed25519, keyName, publicOf, signersOf, signNote } from "./note.ts";

export interface AuditKeys {
  /** Signs records and checkpoints. Private. */
  current: KeyObject;
  /** Sign checkpoints too, for who does not have the current one yet. Private. */
  cosigners: { key: KeyObject; until: Date }[];
  /** The public halves of all, in the order of use. */
  all: KeyObject[];
  /** Notes by which a key names the next one. */
  successions: string[];
}

const PublicJwk = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  d: z.string().optional(),
  cosigns_until: z.iso.datetime().optional(),
});
const KeyFile = z.union([
  z.object({
    keys: z.array(PublicJwk).min(1),
    successions: z.array(z.string()).default([]),
  }),
  PublicJwk.transform((key) => ({ keys: [key], successions: [] })),
]);
export type KeyFile = z.output<typeof KeyFile>;

/** @throws {TypeError} */
export function readKeyFile(text: string): KeyFile {
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new TypeError("This is no key for Ed25519 as a JWK, nor a set of them", { cause });
  }
}

/** The private key file's text. @throws {TypeError} */
export function readAuditKeys(text: string): AuditKeys {
  const { keys, successions } = readKeyFile(text);
  const last = keys.at(-1)!;
  if (last.d === undefined) throw new TypeError("The last key of the file is not private");
  try {
    return {
      current: createPrivateKey({ key: last, format: "jwk" }),
      cosigners: keys.slice(0, -1).flatMap((key) =>
        key.d === undefined ? [] : {
          key: createPrivateKey({ key, format: "jwk" }),
          until: new Date(key.cosigns_until ?? Infinity),
        }
      ),
      all: keys.map(publicFrom),
      successions,
    };
  } catch (cause) {
    throw new TypeError("This is no private key for Ed25519 as a JWK", { cause });
  }
}

/** The file of one key, private. */
export function soleKey(current: KeyObject): AuditKeys {
  return { current, cosigners: [], all: [publicOf(current)], successions: [] };
}

/**
 * Public keys in the order of use: a JWK, a JWK Set, or a verifier key of C2SP (`name+id+key`), whose name is not looked at.
 * @throws {TypeError}
 */
export function readPublicKeys(text: string): KeyObject[] {
  const trimmed = text.trim();
  try {
    if (trimmed.startsWith("{")) return readKeyFile(trimmed).keys.map(publicFrom);
    return [publicFrom({ x: rawOfVerifierKey(trimmed) })];
  } catch (cause) {
    throw new TypeError("This is no public key for Ed25519", { cause });
  }
}

function publicFrom({ x }: { x: string }): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

function rawOfVerifierKey(text: string): string {
  const bytes = fromBase64(text.split("+").slice(2).join("+")); // base64 has a + of its own
  if (bytes[0] !== ed25519 || bytes.length !== 33) throw new TypeError("not Ed25519");
  return bytes.slice(1).toBase64({ alphabet: "base64url", omitPadding: true });
}

const successionName = "gatehouse-audit-key/1";

/** A note in which `from` names the key after it. Both sign: nobody is named against their will. Private keys. */
export function signSuccession(from: KeyObject, to: KeyObject, at: Date): string {
  const names = [from, to].map((key) => keyName(publicOf(key)));
  const text = [successionName, ...names, at.toISOString(), ""].join("\n");
  return signNote(successionName, text, [from, to]);
}

/** The notes of that kind in a text that holds others too. Says nothing of their signatures. */
export function splitSuccessions(text: string): string[] {
  const form = /gatehouse-audit-key\/1\n[^\n]{44}\n[^\n]{44}\n[^\n]+\n\n(?:— [^\n]+\n)+/g;
  return [...text.matchAll(form)].map(([note]) => note);
}

/** The key that `from` names as the next one; null when the note is not signed by both. */
function successor(note: string, from: KeyObject): KeyObject | null {
  const [, fromName, toName = ""] = note.split("\n");
  if (fromName !== keyName(from)) return null;
  try {
    const x = fromBase64(toName).toBase64({ alphabet: "base64url", omitPadding: true });
    const to = publicFrom({ x });
    return signersOf(note, successionName, [from, to]).length === 2 ? to : null;
  } catch {
    return null;
  }
}

/**
 * Goes on from the last of the keys to those that it and its successors name. `forked`: a key named two; none is followed
 * then, for one of them is a thief's.
 */
export function followKeys(
  keys: readonly KeyObject[],
  notes: readonly string[],
): { keys: KeyObject[]; forked: KeyObject | null } {
  const followed = [...keys];
  for (;;) {
    const last = followed.at(-1)!;
    const named = new Map(
      notes.flatMap((note) => successor(note, last) ?? []).map((key) => [keyName(key), key]),
    );
    if (named.size > 1) return { keys: followed, forked: last };
    const [next] = named.values();
    if (!next || followed.some((key) => keyName(key) === keyName(next))) {
      return { keys: followed, forked: null };
    }
    followed.push(next);
  }
}
