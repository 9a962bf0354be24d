// Ports of this machine. Below 32768, where Linux begins to lend ports to outgoing connections: a port chosen
// there could be somebody's source port at the next start.
export const widestPorts = [12_000, 32_000] as const;
/** `12000-15000`: who runs several stacks at once gives each ports of its own, since one that restarts wants the same ones again. */
export const portsVariable = "GATEHOUSE_PORTS";

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
  const [lowest, highest] = portsToTake();
  for (let attempt = 0; attempt < 1000; attempt++) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count));
    if (Array.from({ length: count }, (_, i) => first + i).every(isFree)) return first;
  }
  throw new Error(`No ${count} free ports in a row between ${lowest} and ${highest}`);
}

function portsToTake(): readonly [number, number] {
  const text = Deno.env.get(portsVariable);
  if (text === undefined) return widestPorts;
  const [lowest = NaN, highest = NaN] = text.split("-").map(Number);
  if (lowest > 0 && highest > lowest + 100 && highest < 65_536) return [lowest, highest];
  throw new Error(`${portsVariable} is "${text}"; 12000-15000, say, with more than 100 of them`);
}
