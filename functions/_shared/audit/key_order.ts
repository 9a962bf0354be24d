// Which of several keys counts where in a log. verify.ts asks it of every checkpoint and record.
import type { KeyObject } from "node:crypto";
import { type Checkpoint, keyName, type OpenedCheckpoint } from "./note.ts";

/** A checkpoint, and who signed it where that is known; nobody's may be trusted as it is. */
export type KnownCheckpoint = Checkpoint & Partial<OpenedCheckpoint>;

/**
 * From the first checkpoint that a later key signed on, an earlier one counts no more: whoever steals it then cannot go on
 * with it. Keys in the order of use.
 */
export class KeyOrder {
  readonly #keys: { key: KeyObject; name: string; begins: number }[];

  constructor(keys: readonly KeyObject[], checkpoints: KnownCheckpoint[]) {
    this.#keys = keys.map((key) => ({ key, name: keyName(key), begins: Infinity }));
    for (const { size, signers } of checkpoints) {
      for (const one of this.#keys) {
        if (signers?.includes(one.name)) one.begins = Math.min(one.begins, size);
      }
    }
  }

  /** The keys whose signature counts in a tree of this size, or for the record of this index; the latest first. */
  at(size: number): KeyObject[] {
    return this.#at(size).map(({ key }) => key);
  }

  counts({ size, signers }: KnownCheckpoint): boolean {
    return !signers || this.#at(size).some(({ name }) => signers.includes(name));
  }

  /** The latest key of which a checkpoint is there, by name; null when nobody's is. */
  get latest(): string | null {
    return this.#keys.findLast(({ begins }) => begins < Infinity)?.name ?? null;
  }

  /** Those who signed a checkpoint and count there, by name. */
  signersOf({ size, signers = [] }: KnownCheckpoint): string[] {
    return this.#at(size).flatMap(({ name }) => signers.includes(name) ? name : []);
  }

  #at(size: number) {
    const current = this.#keys.findLastIndex(({ begins }) => begins <= size);
    return this.#keys.slice(Math.max(0, current)).reverse();
  }
}
