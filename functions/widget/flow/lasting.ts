/**
 * How long making an account takes: ZITADEL shows who was just made only after a while. Where there is nothing to make, the answer
 * waits as long as one of the last ones took, so that its time does not tell either.
 */
const kept = 32;

export class Lasting {
  readonly #tookMs: number[] = [];

  constructor(
    private readonly clock: () => number = () => performance.now(),
    private readonly wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    private readonly random: () => number = Math.random,
  ) {}

  /** Runs `make`; undefined means there was nothing to make. */
  async like<T>(make: () => Promise<T | undefined>): Promise<T | undefined> {
    const startedAt = this.clock();
    const made = await make();
    const tookMs = this.clock() - startedAt;
    if (made !== undefined) {
      this.#tookMs.push(tookMs);
      if (this.#tookMs.length > kept) this.#tookMs.shift();
    } else {
      const like = this.#tookMs[Math.floor(this.random() * this.#tookMs.length)] ?? 0;
      await this.wait(Math.max(0, like - tookMs));
    }
    return made;
  }
}

/** Of this process. */
export const lasting = new Lasting();
