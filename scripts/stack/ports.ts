// Ports of this machine. Below 32768, where Linux begins to lend ports to outgoing connections: a port chosen
// there could be somebody's source port at the next start.
const lowest = 12_000;
const highest = 32_000;

export function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** The first of `count` free ports in a row, at a random place so that two callers seldom meet. */
export function findFreeRow(count: number): number {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count));
    if (Array.from({ length: count }, (_, i) => first + i).every(isFree)) return first;
  }
  throw new Error(`No ${count} free ports in a row between ${lowest} and ${highest}`);
}
