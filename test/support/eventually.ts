type Found<T> = T | undefined | null | false;

/** Asks until `find` finds something. */
export async function eventually<T>(
  what: string,
  find: () => Found<T> | Promise<Found<T>>,
  longestMs = 20_000,
): Promise<T> {
  for (const until = Date.now() + longestMs;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > until) throw new Error(`Waited ${longestMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
