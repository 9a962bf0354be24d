/**
 * A line for calls that keep a processor of the database busy for long: several at once only take processors from each other and from whoever
 * sends. One after the other, in the order in which they came; one that takes longer than this no longer holds up the next.
 *
 * @returns What runs a call in its turn, and gives what the call gives.
 */
export function line(longestMs: number): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<void> = Promise.resolve();
  return async (call) => {
    const before = last;
    const { promise, resolve: next } = Promise.withResolvers<void>();
    last = promise;
    await before;
    const timer = setTimeout(next, longestMs);
    try {
      return await call();
    } finally {
      clearTimeout(timer);
      next();
    }
  };
}
