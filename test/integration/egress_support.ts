/**
 * Three network namespaces: `app` sees only the proxy, `proxy` has a real Squid and sees both, `net` has the world: every receiver under a
 * name that only the proxy resolves. Or `app` sees the world too, behind a real nftables (`straight`). Needs root and iproute2; the
 * namespaces have names of this process and go with it.
 */
import { join } from "node:path";
import { type Child, spawn, type Spec } from "../../scripts/stack/child.ts";
import { serving } from "../../scripts/stack/serving.ts";
import { root } from "../support/paths.ts";

const deno = join(root, "node_modules/.bin/deno");

/** Why the test cannot run here; null: it can. */
export async function obstacle(): Promise<string | null> {
  if (Deno.uid() !== 0) return "it needs root, to make network namespaces";
  for (const program of ["/usr/sbin/squid", "/usr/sbin/nft", "/usr/sbin/ip", "/usr/bin/setpriv"]) {
    if (!await Deno.stat(program).then(() => true, () => false)) return `${program} is missing`;
  }
  const name = `ghprobe${Deno.pid}`;
  const made = await ip("netns", "add", name).then(() => true, () => false);
  if (!made) return "the kernel or the container lets nobody make network namespaces";
  await ip("netns", "delete", name);
  return null;
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args, stderr: "piped" }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

const addresses = {
  appStraight: "203.0.113.1",
  netStraight: "203.0.113.2",
  app: "192.0.2.1",
  proxyInside: "192.0.2.2",
  proxyOutside: "198.51.100.1",
  net: "198.51.100.2",
};

export class Net implements AsyncDisposable {
  readonly dir: string;
  #children: Child[] = [];
  #squid: Child | undefined;

  private constructor(readonly names: { app: string; proxy: string; net: string }, dir: string) {
    this.dir = dir;
  }

  static async open(): Promise<Net> {
    const name = (kind: string) => `gh${kind}${Deno.pid}`;
    const names = { app: name("app"), proxy: name("prx"), net: name("net") };
    const net = new Net(names, await Deno.makeTempDir({ prefix: "gatehouse-egress-" }));
    await Deno.chmod(net.dir, 0o777); // started by root, Squid works as a user without rights
    for (const one of Object.values(names)) {
      await ip("netns", "add", one);
      await ip("-n", one, "link", "set", "lo", "up");
    }
    await net.#cable(names.app, addresses.app, names.proxy, addresses.proxyInside, "a");
    await net.#cable(names.proxy, addresses.proxyOutside, names.net, addresses.net, "b");
    return net;
  }

  async #cable(left: string, leftIp: string, right: string, rightIp: string, letter: string) {
    const [a, b] = [`gh${letter}l${Deno.pid}`, `gh${letter}r${Deno.pid}`];
    await ip("link", "add", a, "netns", left, "type", "veth", "peer", "name", b, "netns", right);
    for (const [space, link, address] of [[left, a, leftIp], [right, b, rightIp]] as const) {
      await ip("-n", space, "addr", "add", `${address}/30`, "dev", link);
      await ip("-n", space, "link", "set", link, "up");
    }
  }

  /** From `app` to the world without the proxy, which is called by these names there; the world's address. */
  async straight(hosts: string[]): Promise<string> {
    const { app, net } = this.names;
    await this.#cable(app, addresses.appStraight, net, addresses.netStraight, "c");
    await Deno.mkdir(`/etc/netns/${app}`, { recursive: true }); // `ip netns exec` lays it over /etc
    await Deno.writeTextFile(
      `/etc/netns/${app}/hosts`,
      `127.0.0.1 localhost\n${addresses.netStraight} ${hosts.join(" ")}\n`,
    );
    return addresses.netStraight;
  }

  /** What may leave `app` straight: the rendered table, jumped to from a chain that refuses the rest, as docs/egress.md says. */
  async nftables(table: string): Promise<void> {
    const file = join(this.dir, "egress.nft");
    await Deno.writeTextFile(
      file,
      `flush ruleset\n${table}table inet gatehouse_egress {
  chain output {
    type filter hook output priority 0; policy drop;
    oif lo accept
    jump gatehouse
    reject
  }
}\n`,
    );
    const { success, stderr } = await new Deno.Command("ip", {
      args: ["netns", "exec", this.names.app, "/usr/sbin/nft", "-f", file],
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  get proxyUrl(): string {
    return `http://${addresses.proxyInside}:3128`;
  }

  #spec(space: string, name: string, command: string[], env: Record<string, string>): Spec {
    return {
      name,
      command: ["ip", "netns", "exec", space, ...command],
      cwd: root,
      env,
      logFile: join(this.dir, `${name}.log`),
      graceMs: 2_000,
      ready: (printed) => printed("ready"),
    };
  }

  /** Everybody outside, in one process, which is told where to listen. */
  async startWorld(program: string, env: Record<string, string> = {}): Promise<void> {
    const spec = this.#spec(
      this.names.net,
      "world",
      [deno, "run", "-A", "--cached-only", program],
      { LISTEN: addresses.net, ...env },
    );
    const child = await spawn(spec);
    this.#children.push(child);
    await serving(child, spec);
  }

  /** Squid with these rules; `hosts`: the names that lead to the world. */
  async squid(rules: string, hosts: string[]): Promise<void> {
    await this.#squid?.stop();
    const write = (name: string, text: string) =>
      Deno.writeTextFile(join(this.dir, name), text, { mode: 0o644 });
    await write("hosts", `${addresses.net} ${hosts.join(" ")}\n`);
    await write("egress.conf", rules);
    await write("squid.conf", configuration(this.dir));
    const spec: Spec = {
      ...this.#spec(this.names.proxy, "squid", [
        "/usr/sbin/squid",
        "-N",
        "-f",
        join(this.dir, "squid.conf"),
      ], {}),
      ready: async (_, signal) => {
        while (!signal.aborted && !await this.#listens()) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
    };
    this.#squid = await spawn(spec);
    await serving(this.#squid, spec);
  }

  async #listens(): Promise<boolean> {
    const { stdout } = await new Deno.Command("ip", {
      args: ["netns", "exec", this.names.proxy, "cat", "/proc/net/tcp"],
    }).output();
    return new TextDecoder().decode(stdout).includes(":0C38 00000000:0000 0A"); // 3128, listening
  }

  /** Runs a program where only the proxy is to be seen; its standard output. */
  async run(program: string, args: string[], env: Record<string, string>): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("ip", {
      args: ["netns", "exec", this.names.app, deno, "run", "-A", "--cached-only", program, ...args],
      cwd: root,
      env: { ...env, DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#squid?.stop();
    for (const child of this.#children) await child.stop();
    for (const name of Object.values(this.names)) await ip("netns", "delete", name).catch(() => {});
    await Deno.remove(`/etc/netns/${this.names.app}`, { recursive: true }).catch(() => {});
    await Deno.remove(this.dir, { recursive: true });
  }
}

const configuration = (dir: string) =>
  `http_port ${addresses.proxyInside}:3128
hosts_file ${join(dir, "hosts")}
dns_nameservers 192.0.2.53
acl gatehouse_clients src ${addresses.app}
include ${join(dir, "egress.conf")}
http_access deny all
cache deny all
access_log stdio:${join(dir, "access.log")}
cache_log ${join(dir, "cache.log")}
pid_filename ${join(dir, "squid.pid")}
coredump_dir ${dir}
shutdown_lifetime 1 seconds
dns_timeout 1 seconds
visible_hostname proxy.test
`;
