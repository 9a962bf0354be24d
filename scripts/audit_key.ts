/**
 * Makes the key that signs the sealed log, and the next one. Ed25519, readable by its owner only; FILE.pub is for who verifies.
 *
 *   deno run -A scripts/audit_key.ts --out FILE                         the first key; never overwrites
 *   deno run -A scripts/audit_key.ts --rotate FILE [--overlap-days 30]  the next one, named by the one before it
 *   deno run -A scripts/audit_key.ts --rotate FILE --stolen             the next one, and the one before it counts no more
 *   deno run -A scripts/audit_key.ts --retire FILE                      takes private halves out whose overlap is over
 *
 * Start the workers anew after each. During the overlap both keys sign the checkpoints, so whoever holds the former one can
 * go on. FILE keeps the public halves of former keys: without them what they signed is another's. docs/audit.md says more.
 * Keep a copy of FILE away from the machine. Prints the name of what to hand out. Exit 0 done · 1 failed · 2 wrong use.
 */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import {
  type KeyFile,
  readAuditKeys,
  readKeyFile,
  signSuccession,
} from "../functions/_shared/audit/keys.ts";
import { command, WrongUse } from "./command.ts";

type Jwk = KeyFile["keys"][number];

const day = 86_400_000;

function newKey(): Jwk {
  const { x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return { kty: "OKP", crv: "Ed25519", x: x!, d: d! };
}

const publicHalf = ({ kty, crv, x }: Jwk): Jwk => ({ kty, crv, x });

/** @throws {Deno.errors.AlreadyExists} */
export async function writeAuditKey(path: string): Promise<void> {
  const key = newKey();
  const write = (file: string, jwk: Jwk, mode: number) =>
    Deno.writeTextFile(file, JSON.stringify(jwk) + "\n", { createNew: true, mode });
  await write(path, key, 0o600);
  await write(`${path}.pub`, publicHalf(key), 0o644);
}

/** The file with another key behind the ones that are there. `overlapMs`: 0 when the last one was stolen. */
export function withNextKey(file: KeyFile, overlapMs: number, now: Date): KeyFile {
  const last = file.keys.at(-1)!;
  const next = newKey();
  const former = overlapMs === 0
    ? publicHalf(last)
    : { ...last, cosigns_until: new Date(now.getTime() + overlapMs).toISOString() };
  const [from, to] = [last, next].map((key) => createPrivateKey({ key, format: "jwk" }));
  return {
    keys: [...withoutPast(file, now).keys.slice(0, -1), former, next],
    successions: overlapMs === 0
      ? file.successions
      : [...file.successions, signSuccession(from!, to!, now)],
  };
}

/** The file without the private halves that sign no more. */
export function withoutPast(file: KeyFile, now: Date): KeyFile {
  const keys = file.keys.map((key, n) => {
    const over = key.cosigns_until !== undefined && new Date(key.cosigns_until) <= now;
    return over && n < file.keys.length - 1 ? publicHalf(key) : key;
  });
  return { ...file, keys };
}

async function replace(path: string, change: (file: KeyFile) => KeyFile): Promise<string> {
  const text = await Deno.readTextFile(path);
  readAuditKeys(text); // refuses what has no private key at its end
  const file = change(readKeyFile(text));
  await overwrite(path, file, 0o600);
  await overwrite(`${path}.pub`, { ...file, keys: file.keys.map(publicHalf) }, 0o644);
  return `${path}.pub`;
}

/** All of it or nothing, whenever the machine stops. */
async function overwrite(path: string, file: KeyFile, mode: number): Promise<void> {
  const part = `${path}.part`;
  await Deno.writeTextFile(part, JSON.stringify(file, null, 2) + "\n", { mode });
  await Deno.chmod(part, mode); // a part that was left there keeps its own
  await Deno.rename(part, path);
}

if (import.meta.main) {
  await command({
    usage:
      "usage: scripts/audit_key.ts --out FILE | --rotate FILE [--overlap-days N | --stolen] | --retire FILE",
    options: {
      out: { type: "string" },
      rotate: { type: "string" },
      retire: { type: "string" },
      stolen: { type: "boolean", default: false },
      "overlap-days": { type: "string" },
    },
    what: "change the key",
  }, async ({ out, rotate, retire, stolen, "overlap-days": days }) => {
    if ([out, rotate, retire].filter((path) => path).length !== 1) throw new WrongUse();
    if (!rotate && (stolen || days !== undefined)) throw new WrongUse("That goes with --rotate");
    if (stolen && days !== undefined) throw new WrongUse("A stolen key has no overlap");
    if (days !== undefined && !/^[1-9]\d{0,3}$/.test(days)) {
      throw new WrongUse(`"${days}" is no number of days from 1 to 9999`);
    }
    const now = new Date();
    if (rotate) {
      const overlapMs = stolen ? 0 : Number(days ?? 30) * day;
      return await replace(rotate, (file) => withNextKey(file, overlapMs, now));
    }
    if (retire) return await replace(retire, (file) => withoutPast(file, now));
    await writeAuditKey(out!);
    return `${out}.pub`;
  });
}
