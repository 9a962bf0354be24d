import postgres from "postgres";

/**
 * One connection that says "this process lives" by holding locks. Postgres lets go of them the moment the connection
 * ends, however the process died: `kill -9` leaves jobs locked for four hours otherwise (graphile-worker's own limit).
 */
export interface Liveness {
  /** Holds the lock of a pool of the queue. `private.unlock_dead_workers()` frees the jobs of pools without one. */
  hold(poolId: string): Promise<void>;
  /** True when this process is the one that runs this loop; once true it stays so until the connection ends. */
  lead(loop: string): Promise<boolean>;
  /** Ends the connection, with every lock on it. */
  close(): Promise<void>;
}

/** First keys of the advisory locks (sql/locks.md). `private.unlock_dead_workers()` looks for the pool's. */
const poolLock = 778;
const loopLock = 781;

const beatEveryMs = 1_000;
/** Longer than any pause of a healthy server, shorter than TCP's own patience of 15 minutes. */
const beatTimeoutMs = 10_000;

/**
 * @param lost is called once when the connection ends unasked or does not answer: every lock is then gone, others
 * take over the jobs, and going on would do them twice. The process must end.
 */
export async function openLiveness(url: string, lost: (why: string) => void): Promise<Liveness> {
  let over = false;
  const end = (why: string) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    lost(why);
  };
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null, // the default renews a connection within the hour, and with it loses the locks
    connect_timeout: 10,
    connection: { application_name: "gatehouse_worker liveness" },
    onnotice: () => {}, // the default prints
    onclose: () => end("the liveness connection ended"),
  });
  await sql`select 1`;

  let timer: ReturnType<typeof setTimeout> | undefined;
  const beat = async () => {
    const late = setTimeout(
      () => end(`the database did not answer for ${beatTimeoutMs} ms`),
      beatTimeoutMs,
    );
    try {
      await sql`select private.unlock_dead_workers()`;
    } catch (error) {
      return end(`the beat failed: ${error instanceof Error ? error.message : error}`);
    } finally {
      clearTimeout(late);
    }
    if (!over) timer = setTimeout(beat, beatEveryMs);
  };
  timer = setTimeout(beat, beatEveryMs);

  const leading = new Set<string>();
  return {
    async hold(poolId) {
      await sql`select pg_advisory_lock(${poolLock}, hashtext(${poolId}))`;
    },
    async lead(loop) {
      if (leading.has(loop)) return true; // asking again would count the lock up
      const [row] = await sql`select pg_try_advisory_lock(${loopLock}, hashtext(${loop})) as mine`;
      if (row?.mine) leading.add(loop);
      return Boolean(row?.mine);
    },
    async close() {
      over = true;
      clearTimeout(timer);
      await sql.end({ timeout: 5 });
    },
  };
}
