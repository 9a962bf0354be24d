// The roots of an export's tree as it grows, against the signed ones. verify.ts judges by what fits.
import type { KeyObject } from "node:crypto";
import type { ExportHeader } from "./export_format.ts";
import type { KeyOrder, KnownCheckpoint } from "./key_order.ts";
import { type Checkpoint, keyList, keyName, type Keys } from "./note.ts";
import { Frontier, sameHash } from "./tree.ts";

export interface KeyReport {
  /** Its 32 bytes in base64. */
  key: string;
  /** Size of the newest checkpoint by it whose root fits and where it counts; 0 when there is none. */
  provedTo: number;
  /** Records that stand by its signature, of those whose own signature was looked at. */
  records: number;
}

/** The tree of the records before the first one; null when the header's hashes are none. */
export function openPrefix({ first, prefix }: ExportHeader): Frontier | null {
  try {
    return new Frontier(first, prefix.map((hash) => Uint8Array.fromBase64(hash)));
  } catch {
    return null;
  }
}

/** Whether the records before the first are the ones that retention removed. */
export function prefixFits(prefix: Frontier, tombstones: Checkpoint[]): boolean {
  return tombstones.every(({ size, root }) =>
    size !== prefix.size || sameHash(root, prefix.root())
  );
}

/** Compares roots as the tree grows. `checkpoints` by size. */
export class Roots {
  readonly tree: Frontier;
  /** Size of the newest checkpoint that fits. */
  provedTo = 0;
  /** The same of each key that signed one, by name. */
  readonly provedBy = new Map<string, number>();
  failed: Checkpoint[] = [];
  readonly #keys: KeyOrder;
  #checkpoints: KnownCheckpoint[];
  #next = 0;

  constructor(tree: Frontier, checkpoints: KnownCheckpoint[], keys: KeyOrder) {
    this.tree = tree;
    this.#keys = keys;
    this.#checkpoints = checkpoints;
    while (this.nextSize < tree.size) this.#next++;
    this.compare();
  }

  /** Size of the next checkpoint to compare. */
  get nextSize(): number {
    return this.#checkpoints[this.#next]?.size ?? Infinity;
  }

  /** To be called whenever the tree has reached `nextSize`. */
  compare(): void {
    const root = this.nextSize === this.tree.size ? this.tree.root() : undefined;
    while (root && this.nextSize === this.tree.size) {
      const checkpoint = this.#checkpoints[this.#next++]!;
      if (!sameHash(root, checkpoint.root)) {
        this.failed.push(checkpoint);
        continue;
      }
      this.provedTo = checkpoint.size;
      for (const name of this.#keys.signersOf(checkpoint)) {
        this.provedBy.set(name, checkpoint.size);
      }
    }
  }

  /** `records`: how many stand by a key's own signature. */
  report(keys: Keys, records: ReadonlyMap<KeyObject, number> = new Map()): KeyReport[] {
    return keyList(keys).map((key) => {
      const name = keyName(key);
      return {
        key: name,
        provedTo: this.provedBy.get(name) ?? 0,
        records: records.get(key) ?? 0,
      };
    });
  }
}

/** The size of the largest. Not Math.max(...): a checkpoint a second is more than a call has room for within a day or two. */
export const largest = (checkpoints: Checkpoint[]): number =>
  checkpoints.reduce((largest, { size }) => Math.max(largest, size), 0);
