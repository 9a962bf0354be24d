/// <reference lib="deno.worker" />
// A thread of verify_file.ts: reads and hashes one stretch of the file after the other.
import { hashChunk } from "./chunk.ts";
import { readStretch } from "./lines.ts";

export interface Order {
  path: string;
  from: number;
  to: number;
  /** Whose records they are to be. */
  tenantId: string;
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  const chunk = hashChunk(readStretch(data.path, data.from, data.to), data.tenantId);
  self.postMessage(chunk, [chunk.hashes.buffer]);
};
