// Where exports lie: GATEHOUSE_AUDIT_DIR/exports/<id>.<format>. The worker writes them, functions/audit hands them out.
import { join } from "node:path";

export type ExportFormat = "jsonl" | "csv";

export const exportsDirectory = (auditDir: string) => join(auditDir, "exports");

/** No part of it is anybody's to choose. @throws {TypeError} */
export function exportPath(auditDir: string, id: string, format: ExportFormat): string {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new TypeError("an export's id is a UUID");
  return join(exportsDirectory(auditDir), `${id}.${format}`);
}

/** Writes a file that stands there whole or not at all, and tells its size and SHA-256. */
export class ExportFile implements AsyncDisposable {
  #open = true;
  #size = 0;
  #waiting: string[] = [];
  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: Deno.FsFile,
    private readonly hash: { update(bytes: Uint8Array): unknown; digest(encoding: "hex"): string },
  ) {}

  static async create(path: string, hash: ExportFile["hash"]): Promise<ExportFile> {
    const temporary = `${path}.${crypto.randomUUID()}.part`;
    const file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o640 });
    return new ExportFile(path, temporary, file, hash);
  }

  add(text: string): void {
    this.#waiting.push(text);
  }

  async flush(): Promise<void> {
    const bytes = new TextEncoder().encode(this.#waiting.join(""));
    this.#waiting = [];
    this.hash.update(bytes);
    this.#size += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength;) at += await this.file.write(bytes.subarray(at));
  }

  /** On disk under its name. */
  async finish(): Promise<{ size: number; sha256: string }> {
    await this.flush();
    await this.file.sync();
    this.#close();
    await Deno.rename(this.temporary, this.path);
    return { size: this.#size, sha256: this.hash.digest("hex") };
  }

  #close(): void {
    if (this.#open) this.file.close();
    this.#open = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#close();
    await Deno.remove(this.temporary).catch(() => {});
  }
}
