// What one installation keeps secret: made at its first start, in files of mode 0600, one per reader.
// Next: processes.ts (which process is given which file).
import { selfSigned } from "./certificate.ts";
import type { PlayedCredentials } from "./providers/main.ts";
import { randomBytes, randomInt } from "node:crypto";
import { join } from "node:path";
import type { JWK } from "jose";
import { generateSigningKey } from "../../functions/session/signing_key.ts";
import { writeAuditKey } from "../audit_key.ts";

/** Roles of the database that log in; each with a password of its own. */
export const loginRoles = [
  "gatehouse_migrator",
  "authenticator",
  "gatehouse_functions",
  "gatehouse_provision",
  "gatehouse_worker",
  "gatehouse_gateway",
  "zitadel",
] as const;
export type LoginRole = (typeof loginRoles)[number];

export interface Person {
  id: string;
  userName: string;
  email: string;
  givenName: string;
  familyName: string;
  password: string;
}

export interface Credentials {
  superuserPassword: string;
  passwords: Record<LoginRole, string>;
  administrator: Person;
  demo: { admin: Person; user: Person };
  played: PlayedCredentials;
  files: {
    secretsKey: string;
    /** Seals what mails say until they are sent. */
    mailKey: string;
    signingKey: string;
    /** Signs the sealed log; beside it `.pub`, for whoever verifies. */
    auditKey: string;
    bootstrap: string;
    played: string;
    postgrest: string;
    /** The double writes its tokens here: provisioner.pat, login-client.pat, event-reader.pat. */
    zitadelDir: string;
  };
  /** Private, ES256, of our own issuer. */
  signingKey: JWK;
}

/** Reads them, or makes them at the first start of a directory. */
export async function readCredentials(dir: string): Promise<Credentials> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const files = {
    secretsKey: join(dir, "secrets-key.json"),
    mailKey: join(dir, "mail-key.json"),
    signingKey: join(dir, "signing-key.json"),
    auditKey: join(dir, "audit-key.json"),
    bootstrap: join(dir, "bootstrap.json"),
    played: join(dir, "played.json"),
    postgrest: join(dir, "postgrest.conf"),
    zitadelDir: join(dir, "zitadel"),
  };
  await Deno.mkdir(files.zitadelDir, { recursive: true, mode: 0o700 });
  const installed = await once(join(dir, "install.json"), () => ({
    superuserPassword: newPassword(),
    passwords: Object.fromEntries(
      loginRoles.map((role) => [role, newPassword()]),
    ) as Record<LoginRole, string>,
    demo: {
      admin: newPerson("ada@demo.example", "Ada", "Demo"),
      user: { ...newPerson("vera@demo.example", "Vera", "Visitor"), userName: "vera" },
    },
  }));
  const { administrator } = await once(files.bootstrap, () => ({
    administrator: newPerson("admin@gatehouse.example", "Gatehouse", "Administrator"),
  }));
  const newKeyring = () => ({ current: "k1", keys: { k1: randomBytes(32).toString("base64") } });
  await once(files.secretsKey, newKeyring);
  await once(files.mailKey, newKeyring);
  await writeAuditKey(files.auditKey).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  const played = await once(files.played, () => ({
    clientSecret: newPassword(),
    password: newPassword(),
    saml: selfSigned("Played identity provider"),
  }));
  const signingKey = await once(files.signingKey, generateSigningKey);
  return { ...installed, administrator, played, files, signingKey };
}

/** A file with a secret: only its owner reads it, whatever the umask. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  await Deno.writeTextFile(part, text, { mode: 0o600 });
  await Deno.chmod(part, 0o600);
  await Deno.rename(part, path);
}

async function once<T>(path: string, make: () => T | Promise<T>): Promise<T> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const made = await make();
  await writeSecretFile(path, JSON.stringify(made, null, 2) + "\n");
  return made;
}

function newPassword(): string {
  return randomBytes(24).toString("base64url");
}

function newPerson(email: string, givenName: string, familyName: string): Person {
  return {
    id: newId(),
    userName: email,
    email,
    givenName,
    familyName,
    // ZITADEL's default rule asks for upper and lower case, a digit and a symbol.
    password: `${newPassword()}-Aa1`,
  };
}

/** As ZITADEL's own look: 18 digits, too many for a JSON number. */
function newId(): string {
  return `3${Array.from({ length: 17 }, () => randomInt(10)).join("")}`;
}
