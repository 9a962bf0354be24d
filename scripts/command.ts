// What small commands have in common: options or exit 2, the work or exit 1, what it returns on stdout and exit 0.
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O }>
>["values"];

/** Thrown by `work` when the options do not go together: exit 2. */
export class WrongUse extends Error {
  override readonly name = "WrongUse";
}

/** Never returns. `what` begins the message of a failure: «Cannot make the key: …». */
export async function command<const O extends ParseArgsOptionsConfig>(
  { usage, options, what }: { usage: string; options: O; what: string },
  work: (values: Values<O>) => Promise<string>,
): Promise<never> {
  const wrong = (error: unknown): never => {
    const { message } = error as Error;
    console.error(message === "" ? usage : `${message}\n${usage}`);
    Deno.exit(2);
  };
  let values: Values<O>;
  try {
    values = parseArgs({ args: Deno.args, options }).values;
  } catch (error) {
    return wrong(error);
  }
  try {
    const result = await work(values);
    if (result !== "") console.log(result);
    Deno.exit(0);
  } catch (error) {
    if (error instanceof WrongUse) return wrong(error);
    console.error(`Cannot ${what}: ${(error as Error).message}`);
    Deno.exit(1);
  }
}
