// A directory: each server is reached, the bind DN binds, the base is there.
import type { Door } from "../../_shared/outbound.ts";
import type { LdapSettings } from "../../_shared/zitadel/types.ts";
import { type Checks, Failed } from "./checks.ts";
import { LdapConnection, LdapError, resultCodes } from "./ldap_ask.ts";

/** `secret`: of the bind DN; null: it is ZITADEL's alone by now, and the bind is left out. */
export async function testLdap(
  checks: Checks,
  door: Door,
  settings: LdapSettings,
  secret: string | null,
): Promise<void> {
  for (const server of settings.servers) {
    let connection: LdapConnection | undefined;
    try {
      const connected = await checks.run("connect", async () => {
        connection = await open(door, server, settings);
        return `${server} answers`;
      });
      if (!connected || !connection) continue;
      if (secret === null) {
        checks.skip("bind", "secret_not_given", "Give the password of the bind DN to test it");
        continue;
      }
      const bound = await checks.run("bind", async () => {
        const code = await answered(connection!.bind(settings.bindDn, secret));
        if (code === resultCodes.invalidCredentials) {
          throw new Failed("credentials_refused", `${server} refuses "${settings.bindDn}"`);
        }
        if (code !== 0) throw new Failed("bind_refused", `${server} answered the bind by ${code}`);
        return `"${settings.bindDn}" binds`;
      });
      if (!bound) continue;
      await checks.run("base", async () => {
        const code = await answered(connection!.look(settings.baseDn));
        if (code === resultCodes.noSuchObject) {
          throw new Failed("base_missing", `"${settings.baseDn}" is not there, or not to be seen`);
        }
        if (code !== 0) throw new Failed("base_refused", `The search was answered by ${code}`);
        return `"${settings.baseDn}" is there`;
      });
    } finally {
      connection?.close();
    }
  }
}

async function open(
  door: Door,
  server: string,
  { startTls, ca, timeoutSeconds }: LdapSettings,
): Promise<LdapConnection> {
  const url = new URL(server.replace(/^ldap/, "http")); // URL knows no default port of ldap
  const secure = server.startsWith("ldaps:");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const conn = await door.connect({
    host,
    port: Number(url.port || (secure ? 636 : 389)),
    ...(secure ? { tls: { ca } } : {}),
    timeoutMs: timeoutSeconds * 1000,
  });
  const connection = new LdapConnection(conn);
  if (!secure && startTls) {
    try {
      // ZITADEL itself trusts the system's authorities here, not `ca`.
      await connection.startTls(host, []);
    } catch (error) {
      connection.close();
      throw error instanceof LdapError
        ? new Failed("start_tls_refused", error.message)
        : new Failed("tls_failed", "No trusted TLS connection could be made");
    }
  }
  return connection;
}

/** A directory that is reached and then silent is given up after ten seconds; the caller closes the connection. */
async function answered(work: Promise<number>): Promise<number> {
  const silent = Promise.withResolvers<never>();
  const timer = setTimeout(() => silent.reject(new Error("silent")), 10_000);
  try {
    return await Promise.race([work, silent.promise]);
  } catch (error) {
    if (error instanceof LdapError) throw new Failed("protocol_error", error.message);
    throw new Failed("connection_lost", "The directory did not answer");
  } finally {
    clearTimeout(timer);
  }
}
