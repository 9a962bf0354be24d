/**
 * Verifies an export in threads: they hash, this one compares roots. When all fits, that is the proof; in the slightest
 * doubt verify.ts goes through the records one by one and names the bad ones.
 */
import type { ExportHeader } from "../../functions/_shared/audit/export_format.ts";
import { readHeader } from "../../functions/_shared/audit/export_reader.ts";
import { openPrefix, prefixFits, Roots } from "../../functions/_shared/audit/roots.ts";
import { hashSize } from "../../functions/_shared/audit/tree.ts";
import {
  examine,
  type Report,
  report,
  type Trust,
  weighNotes,
} from "../../functions/_shared/audit/verify.ts";
import { type Chunk, hashChunk } from "./chunk.ts";
import { firstLine, linesAfterFirst, readStretch } from "./lines.ts";
import type { Order } from "./verify_worker.ts";

const stretchBytes = 4 << 20;

export interface VerifyOptions extends Trust {
  /** Threads. Default: 2. 0 hashes in this one. */
  threads?: number;
}

/** @throws {Deno.errors.NotFound} and what else reading a file throws */
export async function verifyFile(path: string, options: VerifyOptions): Promise<Report> {
  const header = readHeader(firstLine(path));
  if (!header) {
    const detail = `"${path}" does not begin as an export`;
    const none = {
      origin: "",
      first: 0,
      records: 0,
      removedBefore: 0,
      removedBy: [],
      saidRemovedBefore: options.removedBefore ?? null,
      notCompared: { count: 0, newest: 0 },
      provedTo: 0,
      keys: [],
      firstBad: null,
    };
    return { ...none, problems: [{ problem: "header_malformed", index: null, detail }] };
  }
  return options.allSignatures ? await slowly() : await asWhole(path, header, options) ?? slowly();

  function slowly(): Promise<Report> {
    return examine(header!, () => linesAfterFirst(path), options);
  }
}

/** A report without problems, or undefined: then something is to be found. */
async function asWhole(
  path: string,
  header: ExportHeader,
  { threads = 2, ...trust }: VerifyOptions,
): Promise<Report | undefined> {
  const { size: bytes } = await Deno.stat(path);
  const headerBytes = new TextEncoder().encode(firstLine(path)).length + 1;
  const orders: Order[] = [];
  for (let from = headerBytes; from < bytes; from += stretchBytes) {
    const to = Math.min(bytes, from + stretchBytes);
    orders.push({ path, from, to, tenantId: header.tenant_id });
  }
  const prefix = openPrefix(header);
  if (!prefix) return undefined;
  // The notes stand at the end, so roots are compared when all is hashed.
  const chunks = await hashInThreads(orders, threads);
  const notes = chunks.flatMap(({ notes }) => notes);
  const weighed = weighNotes(header, notes, trust);
  const { checkpoints, tombstones, problems, keys } = weighed;
  if (problems.length > 0 || !prefixFits(prefix, tombstones)) return undefined;
  const roots = new Roots(prefix, checkpoints, keys);
  for (const { first, regular, hashes, subtrees } of chunks) {
    if (!regular || (first ?? roots.tree.size) !== roots.tree.size) return undefined;
    const end = roots.tree.size + hashes.length / hashSize;
    if (roots.nextSize > end) {
      for (const { root, width } of subtrees) roots.tree.appendSubtree(root, width);
      continue;
    }
    for (let at = 0; at < hashes.length; at += hashSize) {
      roots.tree.append(hashes.slice(at, at + hashSize));
      roots.compare();
    }
  }
  const size = roots.tree.size;
  const allFit = roots.failed.length === 0 && roots.nextSize === Infinity &&
    header.size === size && size >= (trust.to ?? 0);
  // After the newest checkpoint each record stands by its own signature.
  if (!allFit || roots.provedTo !== size) return undefined;
  const proved = {
    records: size - header.first,
    provedTo: roots.provedTo,
    keys: roots.report(trust.key),
  };
  return report(header, trust, weighed, proved);
}

async function hashInThreads(orders: Order[], threads: number): Promise<Chunk[]> {
  if (threads === 0) {
    return orders.map(({ path, from, to, tenantId }) =>
      hashChunk(readStretch(path, from, to), tenantId)
    );
  }
  const chunks: Chunk[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(threads, orders.length) }, async () => {
    const thread = new Worker(new URL("./verify_worker.ts", import.meta.url), { type: "module" });
    try {
      while (next < orders.length) {
        const n = next++;
        chunks[n] = await new Promise<Chunk>((resolve, reject) => {
          thread.onmessage = ({ data }) => resolve(data);
          thread.onerror = (event) => {
            event.preventDefault();
            reject(new Error(event.message));
          };
          thread.postMessage(orders[n]);
        });
      }
    } finally {
      thread.terminate();
    }
  }));
  return chunks;
}
