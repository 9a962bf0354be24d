// What a test of a connection answers: one line a check, in the order they were made.
import { OutboundError } from "../../_shared/outbound.ts";

export interface Check {
  name: "settings" | "network" | "discovery" | "keys" | "metadata" | "connect" | "bind" | "base";
  ok: boolean;
  /** Stable; `ok` when nothing is wrong. Listed in docs/providers.md. */
  slug: string;
  detail: string;
}

/** Ends the test: what follows would ask the same thing in vain. */
export class Failed extends Error {
  override readonly name = "Failed";
  constructor(readonly slug: string, readonly detail: string) {
    super(`${slug}: ${detail}`);
  }
}

export class Checks {
  readonly all: Check[] = [];

  /** What `make` returns is the detail. False: it failed, and that is on the list. */
  async run(name: Check["name"], make: () => string | Promise<string>): Promise<boolean> {
    try {
      this.all.push({ name, ok: true, slug: "ok", detail: await make() });
      return true;
    } catch (error) {
      if (error instanceof Failed) {
        this.all.push({ name, ok: false, slug: error.slug, detail: error.detail });
      } else if (error instanceof OutboundError) {
        this.all.push({ name, ok: false, slug: error.errorClass, detail: error.message });
      } else throw error;
      return false;
    }
  }

  skip(name: Check["name"], slug: string, detail: string): void {
    this.all.push({ name, ok: true, slug, detail });
  }

  get ok(): boolean {
    return this.all.every((check) => check.ok);
  }
}
