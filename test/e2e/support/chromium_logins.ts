// A Chromium profile that already keeps one password, written where and as Chromium writes it.
import { Buffer } from "node:buffer";
import { createCipheriv, pbkdf2Sync } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

export interface KeptLogin {
  /** The page where it was saved. */
  url: string;
  userName: string;
  password: string;
}

/** Adds to the profile's database, which Chromium made at its first start and must not have open. */
export function keepLogin(profile: string, { url, userName, password }: KeptLogin): void {
  const database = new DatabaseSync(`${profile}/Default/Login Data`);
  try {
    // Microseconds since 1601.
    const now = (BigInt(Date.now()) + 11_644_473_600_000n) * 1000n;
    const given: Record<string, string | bigint | number | Uint8Array> = {
      origin_url: url,
      signon_realm: new URL("/", url).href,
      username_element: "username",
      username_value: userName,
      password_element: "password",
      password_value: encrypt(password),
      date_created: now,
      date_last_used: now,
      date_password_modified: now,
      times_used: 1,
    };
    // Every version has its own columns: what is not given is zero or empty, by type.
    const columns = database.prepare("pragma table_info(logins)").all() as {
      name: string;
      type: string;
    }[];
    const filled = columns.filter(({ name }) => name !== "id").map(({ name, type }) => ({
      name,
      value: given[name] ?? (type === "INTEGER" ? 0 : type === "BLOB" ? new Uint8Array() : ""),
    }));
    database.prepare(
      `insert into logins (${filled.map(({ name }) => name)}) values (${filled.map(() => "?")})`,
    ).run(...filled.map(({ value }) => value));
  } finally {
    database.close();
  }
}

/** With `--password-store=basic` on Linux the key is fixed: components/os_crypt/sync/os_crypt_linux.cc, "v10". */
function encrypt(text: string): Uint8Array {
  const key = pbkdf2Sync("peanuts", "saltysalt", 1, 16, "sha1");
  const cipher = createCipheriv("aes-128-cbc", key, " ".repeat(16));
  return Buffer.concat([Buffer.from("v10"), cipher.update(text), cipher.final()]);
}
