// Who runs Postgres: it refuses to run as root.
import { Failure } from "./failure.ts";

export interface Somebody {
  /** Words before a Postgres command. */
  prefix: string[];
  owner: { uid: number; gid: number };
}

let somebody: Promise<Somebody> | undefined;

/**
 * Postgres refuses to run as root. A normal user runs it directly; root runs it as `nobody` in a user namespace, where
 * nobody *is* root outside and so may enter a checkout of mode 0700. Where user namespaces are not allowed
 * (most containers), it really becomes `nobody` and keeps one capability: to read what root may read.
 */
export function asSomebody(): Promise<Somebody> {
  return somebody ??= find();

  async function find(): Promise<Somebody> {
    const [uid, gid] = [Deno.uid() ?? 0, Deno.gid() ?? 0];
    if (uid !== 0) return { prefix: [], owner: { uid, gid } };
    const nobody = await unprivilegedAccount();
    const namespace = [
      "unshare",
      "--user",
      `--map-user=${nobody.uid}`,
      `--map-group=${nobody.gid}`,
    ];
    if (await works(namespace)) return { prefix: namespace, owner: { uid, gid } };
    const only = "-all,+dac_override";
    const lowered = [
      "setpriv",
      ...[`--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, "--clear-groups"],
      ...[`--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`],
      // access(2) asks as the real user and would forget the capability.
      "--securebits=+no_setuid_fixup",
      ...["--pdeathsig", "INT"], // a change of user clears the one set before
    ];
    if (await works(lowered)) return { prefix: lowered, owner: nobody };
    throw new Failure(
      "Postgres does not run as root, and neither unshare (user namespaces) nor setpriv can make it somebody else here: run as a normal user",
    );
  }
}

/** `nobody`, else any account but root: initdb wants its user to have a name. */
async function unprivilegedAccount(): Promise<{ uid: number; gid: number }> {
  const accounts = (await Deno.readTextFile("/etc/passwd")).trim().split("\n")
    .map((line) => line.split(":"))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0);
  const found = accounts.find(({ name }) => name === "nobody") ?? accounts[0];
  if (!found) throw new Failure("Postgres does not run as root, and /etc/passwd names nobody else");
  return found;
}

async function works(prefix: string[]): Promise<boolean> {
  const [command = "", ...args] = [...prefix, "true"];
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
