// The Merkle tree against a naive reading of RFC 6962 and against the vectors of its reference implementation.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  consistencyProof,
  Frontier,
  type Hash,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from "../../../functions/_shared/audit/tree.ts";

/** MTH of section 2.1, word by word. */
function naive(entries: Uint8Array[]): Uint8Array {
  const sha256 = (...parts: Uint8Array[]) =>
    new Uint8Array(createHash("sha256").update(concat(parts)).digest());
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(new Uint8Array([0]), entries[0]!);
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  return sha256(new Uint8Array([1]), naive(entries.slice(0, k)), naive(entries.slice(k)));
}

function concat(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const entries = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 });
const some = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 70 });
const hex = (bytes: Uint8Array) => bytes.toHex();
const treeOf = (leaves: Hash[]): Frontier => {
  const tree = new Frontier();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
};
const flipped = (hash: Hash, bit: number): Hash => {
  const copy = hash.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

Deno.test("the roots are those of Certificate Transparency's reference tests", () => {
  const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    .concat("606162636465666768696a6b6c6d6e6f").map((text) => leafHash(Uint8Array.fromHex(text)));
  const roots = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ];
  assert.deepEqual(leaves.map((_, n) => hex(rootOf(leaves.slice(0, n + 1)))), roots);
  assert.equal(
    hex(rootOf([])),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

Deno.test("a frontier that grows has the root that the definition gives", () => {
  fc.assert(fc.property(entries, (all) => {
    assert.equal(hex(rootOf(all.map(leafHash))), hex(naive(all)));
  }));
});

Deno.test("a frontier taken up again goes on as if it had not been put down", () => {
  fc.assert(fc.property(entries, entries, (before, after) => {
    const first = new Frontier();
    for (const entry of before) first.append(leafHash(entry));
    const second = new Frontier(first.size, first.subtrees);
    for (const entry of after) second.append(leafHash(entry));
    assert.equal(hex(second.root()), hex(naive([...before, ...after])));
  }));
  assert.throws(() => new Frontier(3, [leafHash("a")]), RangeError);
});

Deno.test("complete subtrees may be appended at once", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 4 }), (n, p) => {
    const width = 2 ** p;
    const start = n - n % width;
    const leaves = Array.from({ length: start + width }, (_, i) => leafHash(String(i)));
    const tree = new Frontier();
    for (const leaf of leaves.slice(0, start)) tree.append(leaf);
    tree.appendSubtree(rootOf(leaves.slice(start)), width);
    assert.equal(hex(tree.root()), hex(rootOf(leaves)));
  }));
});

Deno.test("every record is proved to be in its tree, and no other in its place", () => {
  fc.assert(fc.property(some, fc.nat(), fc.nat(255), (all, pick, bit) => {
    const leaves = all.map(leafHash);
    const [index, size] = [pick % all.length, all.length];
    const claim = { index, size, leaf: leaves[index]!, root: rootOf(leaves) };
    const proof = inclusionProof(index, leaves);
    assert.ok(verifyInclusion({ ...claim, proof }));
    assert.ok(!verifyInclusion({ ...claim, proof, leaf: flipped(claim.leaf, bit) }));
    assert.ok(!verifyInclusion({ ...claim, proof, root: flipped(claim.root, bit) }));
    assert.ok(!verifyInclusion({ ...claim, proof: [...proof, claim.leaf] }));
    if (proof.length > 0) {
      assert.ok(!verifyInclusion({ ...claim, proof: proof.slice(1) }));
      const bent = proof.with(pick % proof.length, flipped(proof[pick % proof.length]!, bit));
      assert.ok(!verifyInclusion({ ...claim, proof: bent }));
    }
  }));
});

Deno.test("a record is proved with nothing of those before it but their subtrees, and by the same hashes", () => {
  fc.assert(fc.property(some, fc.nat(), fc.nat(), (all, pick, cut) => {
    const leaves = all.map(leafHash);
    const index = pick % all.length;
    const first = cut % (index + 1);
    const before = treeOf(leaves.slice(0, first));
    const proof = inclusionProof(index, leaves.slice(first), before);
    assert.deepEqual(proof, inclusionProof(index, leaves));
    if (first > 0) {
      assert.throws(() => inclusionProof(first - 1, leaves.slice(first), before), RangeError);
    }
    assert.throws(() => inclusionProof(all.length, leaves.slice(first), before), RangeError);
  }));
});

Deno.test("growth is proved from the subtrees before the first leaf, or refused: never another proof", () => {
  fc.assert(fc.property(some, fc.nat(), fc.nat(), (all, pick, cut) => {
    const leaves = all.map(leafHash);
    const oldSize = 1 + pick % all.length;
    const first = cut % (all.length + 1);
    const before = treeOf(leaves.slice(0, first));
    const made = () => consistencyProof(oldSize, leaves.slice(first), before);
    let end = 0;
    const ends = before.subtrees.map((_, n) =>
      end += 2 ** Math.floor(Math.log2(n === 0 ? first : first - end))
    );
    if (oldSize >= first || ends.includes(oldSize)) {
      assert.deepEqual(made(), consistencyProof(oldSize, leaves));
    } else assert.throws(made, RangeError);
  }));
});

Deno.test("a tree is proved to begin with an older one, and with no other", () => {
  fc.assert(fc.property(some, fc.nat(), fc.nat(255), (all, pick, bit) => {
    const leaves = all.map(leafHash);
    const oldSize = 1 + pick % all.length;
    const claim = {
      oldSize,
      oldRoot: rootOf(leaves.slice(0, oldSize)),
      newSize: all.length,
      newRoot: rootOf(leaves),
    };
    const proof = consistencyProof(oldSize, leaves);
    assert.ok(verifyConsistency({ ...claim, proof }));
    assert.ok(!verifyConsistency({ ...claim, proof, oldRoot: flipped(claim.oldRoot, bit) }));
    assert.ok(!verifyConsistency({ ...claim, proof, newRoot: flipped(claim.newRoot, bit) }));
    assert.ok(!verifyConsistency({ ...claim, proof: [...proof, claim.newRoot] }));
    if (proof.length > 0) {
      assert.ok(!verifyConsistency({ ...claim, proof: proof.slice(1) }));
      const bent = proof.with(pick % proof.length, flipped(proof[pick % proof.length]!, bit));
      assert.ok(!verifyConsistency({ ...claim, proof: bent }));
    }
  }));
});
