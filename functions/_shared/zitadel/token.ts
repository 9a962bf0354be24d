import { ZitadelError } from "./errors.ts";

export interface TokenFile {
  read(): Promise<string>;
  /** Reads the file anew; true when it now holds another token. */
  changed(): Promise<boolean>;
}

/** A token file may be replaced at any time (rotation): each call looks whether it was. */
export function tokenFromFile(path: string): TokenFile {
  let token: string | undefined;
  let stamp = "";

  async function load(): Promise<string> {
    try {
      const text = (await Deno.readTextFile(path)).trim();
      if (text === "") throw new Error("The file is empty");
      return text;
    } catch (cause) {
      throw new ZitadelError({
        code: "unauthenticated",
        message: "Cannot read the ZITADEL token file",
        cause,
      });
    }
  }
  async function stampOf(): Promise<string> {
    const { mtime, size, ino } = await Deno.stat(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  }
  return {
    async read() {
      const seen = await stampOf().catch(() => "");
      if (token === undefined || seen !== stamp) {
        token = await load();
        stamp = seen;
      }
      return token;
    },
    async changed() {
      const before = token;
      token = await load();
      return token !== before;
    },
  };
}
