/**
 * An LDAP directory: Debian's slapd as a child, on ports and in a folder of its own. The system's service is never touched.
 * `ldaps:` by a certificate made at its start, which is its own authority.
 */
import { join } from "node:path";
import { selfSigned } from "../certificate.ts";
import { type Child, spawn, type Spec } from "../child.ts";
import { findFreeRow } from "../ports.ts";
import { serving } from "../serving.ts";
import { people } from "./people.ts";

export const baseDn = "dc=acme,dc=corp";
export const bindDn = `cn=reader,${baseDn}`;

export interface Directory {
  ldapUrl: string;
  ldapsUrl: string;
  /** PEM. */
  ca: string;
  bindDn: string;
  bindPassword: string;
  close(): Promise<void>;
}

const slapd = "/usr/sbin/slapd";
const slapadd = "/usr/sbin/slapadd";

export async function hasSlapd(): Promise<boolean> {
  return await Deno.stat(slapd).then(() => true, () => false);
}

export interface Place {
  /** Default: loopback. */
  address?: string;
  /** Of `ldaps:`; `ldap:` is one below. Default: a free one. */
  port?: number;
  /** Under which it is called; its certificate names them too. */
  names?: string[];
}

/** `dir` is made, and is the directory's own. */
export async function startDirectory(
  dir: string,
  { address = "127.0.0.1", port = findFreeRow(2) + 1, names = [] }: Place = {},
): Promise<Directory> {
  const [ldapUrl, ldapsUrl] = [`ldap://${address}:${port - 1}`, `ldaps://${address}:${port}`];
  const bindPassword = crypto.randomUUID();
  const { certificate, privateKey } = selfSigned("Played directory", {
    ipv4: [address],
    dns: names,
  });
  await Deno.mkdir(join(dir, "data"), { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) =>
    Deno.writeTextFile(join(dir, name), text, { mode: 0o600 });
  await write("tls.crt", certificate);
  await write("tls.key", privateKey);
  await write("slapd.conf", configuration(dir));
  await write("people.ldif", entries(bindPassword));
  const load = await new Deno.Command(slapadd, {
    args: ["-f", join(dir, "slapd.conf"), "-l", join(dir, "people.ldif")],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!load.success) throw new Error(`slapadd: ${new TextDecoder().decode(load.stderr)}`);
  const spec: Spec = {
    name: "slapd",
    command: [slapd, "-d", "0", "-f", join(dir, "slapd.conf"), "-h", `${ldapUrl} ${ldapsUrl}`],
    cwd: dir,
    env: {},
    logFile: join(dir, "slapd.log"),
    ready: (_printed, signal) => answers(address, port, signal),
  };
  const child: Child = await spawn(spec);
  await serving(child, spec);
  return {
    ldapUrl,
    ldapsUrl,
    ca: certificate,
    bindDn,
    bindPassword,
    close: () => child.stop(),
  };
}

async function answers(hostname: string, port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      (await Deno.connect({ hostname, port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }
}

const configuration = (dir: string) =>
  `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${join(dir, "slapd.pid")}
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${join(dir, "tls.crt")}
TLSCertificateKeyFile ${join(dir, "tls.key")}
disallow bind_anon
database mdb
maxsize 16777216
suffix "${baseDn}"
directory ${join(dir, "data")}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${bindDn}" read by anonymous auth by * none
`;

/** The person's own language and a flag that vouches for the address, as some directories keep one. */
function entries(bindPassword: string): string {
  const entry = (dn: string, ...lines: string[]) => [`dn: ${dn}`, ...lines, ""].join("\n");
  return [
    entry(baseDn, "objectClass: dcObject", "objectClass: organization", "o: Acme", "dc: acme"),
    entry(
      bindDn,
      "objectClass: organizationalRole",
      "objectClass: simpleSecurityObject",
      "cn: reader",
      `userPassword: ${bindPassword}`,
    ),
    entry(`ou=people,${baseDn}`, "objectClass: organizationalUnit", "ou: people"),
    ...people.map((person, index) =>
      entry(
        `uid=${person.key},ou=people,${baseDn}`,
        "objectClass: inetOrgPerson",
        `uid: ${person.key}`,
        `employeeNumber: ${7000 + index}`,
        `cn: ${person.givenName} ${person.familyName}`,
        `givenName: ${person.givenName}`,
        `sn: ${person.familyName}`,
        `mail: ${person.email}`,
        "preferredLanguage: de",
        `userPassword: ${person.password}`,
      )
    ),
  ].join("\n");
}
