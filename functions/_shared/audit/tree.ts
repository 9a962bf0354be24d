// The Merkle tree of RFC 6962, section 2.1: hashes, the frontier, inclusion and consistency proofs.
import { createHash } from "node:crypto"; // 2 µs a node; crypto.subtle takes 26

export type Hash = Uint8Array<ArrayBuffer>;

export const hashSize = 32;

/** SHA-256(0x00 ‖ bytes); a text is hashed in UTF-8. */
export function leafHash(bytes: Uint8Array | string): Hash {
  // A character takes three bytes at most.
  const most = 1 + (typeof bytes === "string" ? 3 * bytes.length : bytes.length);
  if (leaf.length < most) leaf = new Uint8Array(2 * most);
  let length = bytes.length;
  if (typeof bytes === "string") length = encoder.encodeInto(bytes, leaf.subarray(1)).written;
  else leaf.set(bytes, 1);
  return digest(createHash("sha256").update(leaf.subarray(0, 1 + length)));
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  node.set(left, 1);
  node.set(right, 1 + hashSize);
  return digest(createHash("sha256").update(node));
}

const encoder = new TextEncoder();
// Kept from one hash to the next: half the time of making them anew.
let leaf = new Uint8Array(4_096);
const node = new Uint8Array(1 + 2 * hashSize);
node[0] = 1;

export const emptyRoot = (): Hash => digest(createHash("sha256"));

function digest(hash: ReturnType<typeof createHash>): Hash {
  return new Uint8Array(hash.digest());
}

/** A tree that only grows: of the leaves so far it keeps one hash for each bit set in their number. */
export class Frontier {
  #size: number;
  /** Complete subtrees, the largest first. */
  #subtrees: Hash[];

  /** @throws {RangeError} when that many subtrees are not a tree of that size. */
  constructor(size = 0, subtrees: Hash[] = []) {
    if (!Number.isSafeInteger(size) || size < 0 || bitsSet(size) !== subtrees.length) {
      throw new RangeError(`${subtrees.length} subtrees are no tree of ${size} leaves`);
    }
    this.#size = size;
    this.#subtrees = [...subtrees];
  }

  get size(): number {
    return this.#size;
  }

  get subtrees(): Hash[] {
    return [...this.#subtrees];
  }

  append(leaf: Hash): void {
    this.appendSubtree(leaf, 1);
  }

  /** A complete subtree of `width` leaves; the size so far must be a multiple of the width, a power of two. */
  appendSubtree(root: Hash, width: number): void {
    let node = root;
    for (let n = this.#size / width; n % 2 === 1; n = (n - 1) / 2) {
      node = nodeHash(this.#subtrees.pop()!, node);
    }
    this.#subtrees.push(node);
    this.#size += width;
  }

  root(): Hash {
    if (this.#size === 0) return emptyRoot();
    return this.#subtrees.reduceRight((right, left) => nodeHash(left, right));
  }
}

function bitsSet(size: number): number {
  let count = 0;
  for (let n = size; n > 0; n = Math.floor(n / 2)) count += n % 2;
  return count;
}

/** The root over leaf hashes. */
export function rootOf(leaves: Hash[]): Hash {
  const tree = new Frontier();
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}

/**
 * PATH(index, leaves): the hashes from the leaf's neighbour up. `before`: the tree of what comes before the first of the
 * leaves, of which no more is known; `index` counts from its beginning.
 * @throws {RangeError} the leaf is not among these
 */
export function inclusionProof(index: number, leaves: Hash[], before = new Frontier()): Hash[] {
  const size = before.size + leaves.length;
  if (!(index >= before.size && index < size)) {
    throw new RangeError(`There is no leaf ${index} from ${before.size} to ${size}`);
  }
  const rootOf = rangeRoots(leaves, before);
  const path = (from: number, to: number): Hash[] => {
    if (to - from === 1) return [];
    const split = from + splitOf(to - from);
    return index < split
      ? [...path(from, split), rootOf(split, to)]
      : [...path(split, to), rootOf(from, split)];
  };
  return path(0, size);
}

/**
 * PROOF(oldSize, leaves): that the tree of `oldSize` is the beginning of this one. `before` as above: an older tree than that
 * one can be proved only where it ends with one of its subtrees.
 * @throws {RangeError} the tree did not grow from that, or too little is known of it
 */
export function consistencyProof(
  oldSize: number,
  leaves: Hash[],
  before = new Frontier(),
): Hash[] {
  const size = before.size + leaves.length;
  if (!(oldSize > 0 && oldSize <= size)) {
    throw new RangeError(`A tree of ${size} leaves did not grow from ${oldSize}`);
  }
  const rootOf = rangeRoots(leaves, before);
  const subproof = (from: number, to: number, whole: boolean): Hash[] => {
    if (oldSize === to) return whole ? [] : [rootOf(from, to)];
    const split = from + splitOf(to - from);
    return oldSize <= split
      ? [...subproof(from, split, whole), rootOf(split, to)]
      : [...subproof(split, to, false), rootOf(from, split)];
  };
  return subproof(0, size, true);
}

/** Gives the root over the leaves [from, to), a node of the tree. It throws RangeError where it is within a subtree of `before`. */
function rangeRoots(leaves: Hash[], before: Frontier): (from: number, to: number) => Hash {
  const known = new Map<string, Hash>();
  let start = 0;
  for (const root of before.subtrees) {
    const width = largestWithin(before.size - start);
    known.set(`${start} ${start + width}`, root);
    start += width;
  }
  return function rootBetween(from: number, to: number): Hash {
    if (from >= before.size) return rootOf(leaves.slice(from - before.size, to - before.size));
    const root = known.get(`${from} ${to}`);
    if (root) return root;
    if (to - from === 1) throw new RangeError(`The leaf ${from} is not known`);
    const split = from + splitOf(to - from);
    return nodeHash(rootBetween(from, split), rootBetween(split, to));
  };
}

/** The largest power of two below `size`. */
const splitOf = (size: number): number => largestWithin(size - 1);

/** The largest power of two that is no more than `size`. */
function largestWithin(size: number): number {
  let width = 1;
  while (width * 2 <= size) width *= 2;
  return width;
}

/** Whether `leaf` is record `index` of the tree with this root. RFC 9162, section 2.1.3.2. */
export function verifyInclusion(
  { index, size, leaf, proof, root }: {
    index: number;
    size: number;
    leaf: Hash;
    proof: Hash[];
    root: Hash;
  },
): boolean {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) return false;
  let [at, last, node] = [index, size - 1, leaf];
  for (const neighbour of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = nodeHash(neighbour, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else {
      node = nodeHash(node, neighbour);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(node, root);
}

/** Whether the tree with `newRoot` begins with the one with `oldRoot`. RFC 9162, section 2.1.4.2. */
export function verifyConsistency(
  { oldSize, oldRoot, newSize, newRoot, proof }: {
    oldSize: number;
    oldRoot: Hash;
    newSize: number;
    newRoot: Hash;
    proof: Hash[];
  },
): boolean {
  if (!(oldSize > 0 && oldSize <= newSize)) return false;
  if (oldSize === newSize) return proof.length === 0 && sameHash(oldRoot, newRoot);
  // A complete old tree is its own first node.
  const path = bitsSet(oldSize) === 1 ? [oldRoot, ...proof] : [...proof];
  let [at, last] = [oldSize - 1, newSize - 1];
  while (at % 2 === 1) [at, last] = [(at - 1) / 2, Math.floor(last / 2)];
  let seenOld = path.shift();
  if (seenOld === undefined) return false;
  let seenNew = seenOld;
  for (const neighbour of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      seenOld = nodeHash(neighbour, seenOld);
      seenNew = nodeHash(neighbour, seenNew);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else {
      seenNew = nodeHash(seenNew, neighbour);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(seenOld, oldRoot) && sameHash(seenNew, newRoot);
}

export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
