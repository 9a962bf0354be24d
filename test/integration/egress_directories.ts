// Two directories outside, for what goes straight. LISTEN: the address; DIRECTORIES: name and port of each; FACTS: the file that says how to come in.
import { join } from "node:path";
import { startDirectory } from "../../scripts/stack/providers/directory.ts";

const address = Deno.env.get("LISTEN")!;
const file = Deno.env.get("FACTS")!;
const facts: Record<string, { ca: string; bindDn: string; bindPassword: string }> = {};
for (const [name, port] of JSON.parse(Deno.env.get("DIRECTORIES")!) as [string, number][]) {
  const dir = join(`${file}.d`, name);
  await Deno.mkdir(dir, { recursive: true });
  const { ca, bindDn, bindPassword } = await startDirectory(dir, { address, port, names: [name] });
  facts[name] = { ca, bindDn, bindPassword };
}
await Deno.writeTextFile(file, JSON.stringify(facts));
console.log("ready");
