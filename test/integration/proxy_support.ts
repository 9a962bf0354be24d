// A Squid of the test's own: three ports (open, with Basic credentials, with TLS interception) on loopback, nothing of the system's.
import { join } from "node:path";
import { type Child, spawn, type Spec } from "../../scripts/stack/child.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { serving } from "../../scripts/stack/serving.ts";
import { authority } from "../unit/_shared/outbound_tls.ts";

export const credentials = "gatehouse:hunter:2@ %";
/** `openssl passwd -apr1` of the password above. */
const htpasswd = "gatehouse:$apr1$gatehous$xkBWh714C4zny7P34mXMo.\n";

/** Whom those trust who sit behind the intercepting port. Made for these tests, trusted by nothing else, valid until 2125. */
export const proxyAuthority = `-----BEGIN CERTIFICATE-----
MIIBuDCCAV+gAwIBAgIUZ4xEm3sAP+OE9T/SMGJmGGD3KeIwCgYIKoZIzj0EAwIw
KTEnMCUGA1UEAwweR2F0ZWhvdXNlIHRlc3QgcHJveHkgYXV0aG9yaXR5MCAXDTI2
MTEyNjEzMzQzOVoYDzIxMjUxMTAyMTMzNDM5WjApMScwJQYDVQQDDB5HYXRlaG91
c2UgdGVzdCBwcm94eSBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATPRMdopsY8XJTzUF7MiQVwPQFtTX/wJGHUz5i9oEEdnQbz7EQR7sE1U1NWp+/W
wgo1nK/QDAWJ7W/zg0UKtqaTo2MwYTAdBgNVHQ4EFgQUzeyew02i5bcBtX7nMLSR
a4oZPjowHwYDVR0jBBgwFoAUzeyew02i5bcBtX7nMLSRa4oZPjowDwYDVR0TAQH/
BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDRwAwRAIgQIIqOb6J
4eEszXLpKEbF0qt7tBx3nTL5S4OjptUwGmcCIBcDriIhNz2ktdI2AJcnBdNxylfv
irflySKnjVsI8VXf
-----END CERTIFICATE-----
`;
const proxyAuthorityKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5T99HEuI2/z9hVBk
FTustRLBdKZrYlB4ac7/C0JUyC6hRANCAATPRMdopsY8XJTzUF7MiQVwPQFtTX/w
JGHUz5i9oEEdnQbz7EQR7sE1U1NWp+/Wwgo1nK/QDAWJ7W/zg0UKtqaT
-----END PRIVATE KEY-----
`;

/** Debian's squid-openssl; its squid is built without interception. */
const certificates = "/usr/lib/squid/security_file_certgen";

export class Squid implements AsyncDisposable {
  #child: Child | undefined;
  private constructor(
    readonly dir: string,
    readonly ports: { open: number; basic: number; intercepting: number },
    readonly spec: Spec,
  ) {}

  static async start(): Promise<Squid> {
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-squid-" });
    await Deno.chmod(dir, 0o777); // started by root, Squid works as a user without rights
    const first = findFreeRow(3);
    const ports = { open: first, basic: first + 1, intercepting: first + 2 };
    const write = (name: string, text: string) =>
      Deno.writeTextFile(join(dir, name), text, { mode: 0o644 });
    await write("hosts", "127.0.0.1 receiver.test elsewhere.test forbidden.test\n");
    await write("htpasswd", htpasswd);
    await write("authority.pem", authority);
    await write("interception.pem", proxyAuthority + proxyAuthorityKey);
    await write("squid.conf", configuration(dir, ports));
    const squid = new Squid(dir, ports, {
      name: "squid",
      command: ["/usr/sbin/squid", "-N", "-f", join(dir, "squid.conf")],
      cwd: dir,
      logFile: join(dir, "squid.log"),
      graceMs: 4_000,
      ready: (_, signal) => accepts(ports.intercepting, signal),
    });
    const made = await new Deno.Command(certificates, {
      args: ["-c", "-s", join(dir, "certificates"), "-M", "4MB"],
    }).output();
    if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
    await new Deno.Command("chmod", { args: ["-R", "a+rwX", join(dir, "certificates")] }).output();
    await squid.restart();
    return squid;
  }

  url(port: keyof Squid["ports"]): string {
    return `http://127.0.0.1:${this.ports[port]}`;
  }

  /** What it let through and what not: `TCP_TUNNEL/200 CONNECT receiver.test:443 gatehouse`, once a call has ended. */
  async log(): Promise<string[]> {
    const text = await Deno.readTextFile(join(this.dir, "access.log")).catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  async restart(): Promise<void> {
    this.#child = await spawn(this.spec);
    await serving(this.#child, this.spec);
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.dir, { recursive: true });
  }
}

function configuration(dir: string, ports: Squid["ports"]): string {
  const user = Deno.uid() === 0 ? "cache_effective_user proxy" : "";
  return `
http_port 127.0.0.1:${ports.open} name=open
http_port 127.0.0.1:${ports.basic} name=basic
http_port 127.0.0.1:${ports.intercepting} name=intercepting ssl-bump cert=${dir}/interception.pem generate-host-certificates=on dynamic_cert_mem_cache_size=1MB
sslcrtd_program ${certificates} -s ${dir}/certificates -M 4MB
sslcrtd_children 1
tls_outgoing_options cafile=${dir}/authority.pem
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${dir}/htpasswd
auth_param basic children 1
auth_param basic realm test
acl basic_port myportname basic
acl intercepting_port myportname intercepting
acl known proxy_auth REQUIRED
acl forbidden dstdomain forbidden.test
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump intercepting_port
ssl_bump splice all
http_access deny forbidden
http_access deny basic_port !known
http_access allow all
hosts_file ${dir}/hosts
dns_nameservers 127.0.0.1
dns_timeout 1 seconds
connect_timeout 2 seconds
cache deny all
cache_mem 1 MB
max_filedescriptors 256
pinger_enable off
logformat short %Ss/%>Hs %rm %ru %un
access_log stdio:${dir}/access.log logformat=short
cache_log ${dir}/cache.log
pid_filename none
coredump_dir ${dir}
shutdown_lifetime 0 seconds
visible_hostname proxy.test
${user}
`;
}

async function accepts(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }
}
