// The one place that runs the Supabase CLI. No Docker, no account: it is given a database's address.
import { join } from "node:path";
import { Failure } from "../stack/failure.ts";
import { root } from "./paths.ts";

export interface Ran {
  code: number;
  /** What it found, wrote or printed; its talk about connections is not in here. */
  stdout: string;
  stderr: string;
}

/** Runs the CLI and returns whatever came of it; `workdir` holds the `supabase/` folder it looks at. */
export async function runSupabase(args: string[], workdir = root): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(
    join(root, "node_modules/@supabase/cli-linux-x64/bin/supabase"),
    {
      args: [...args, "--workdir", workdir],
      env: { DO_NOT_TRACK: "1", SUPABASE_TELEMETRY_DISABLED: "1", NO_COLOR: "1" },
      stdin: "null",
    },
  ).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the CLI and returns its standard output; throws with its words when it fails. */
export async function supabase(args: string[], workdir = root): Promise<string> {
  const { code, stdout, stderr } = await runSupabase(args, workdir);
  if (code !== 0) throw new Failure(`supabase ${args[0]} ${args[1]} failed:\n${stderr}${stdout}`);
  return stdout.replace(connectionTalk, "");
}

const connectionTalk = /^│\n▲ {2}Connected to [^\n]*\n/gm;
