// Keeps an endpoint's rate: in any second no more requests begin than it allows. The slots come from the database, where they are given
// out once to all workers (private.claim_deliveries); here each request waits for its own.

/** As `private.claim_deliveries` gives it. */
export interface Slots {
  perSecond: number;
  /** Until the first slot; negative when it has passed. */
  startsInMs: number;
}

/** 1 % over a second: clocks and timers are no better. */
const windowMs = 1_010;
/**
 * A request may be this long on its way. It arrives between its beginning and its answer: the next one that would fill up its second
 * counts from the answer, or from this long after the beginning, so that the receiver too counts no more than the rate.
 */
const longestWayMs = 50;

/** Resolves after so many milliseconds, or at once when asked to stop. */
export type Wait = (ms: number) => Promise<void>;

export class Pace {
  /** When each of the latest had arrived at the latest. */
  #arrived: { at: number }[] = [];
  #slot = 0;
  #spacing = 0;
  #perSecond = 0;
  #turn: Promise<() => void> = Promise.resolve(() => {});
  readonly #clock: () => number;
  readonly #wait: Wait;

  /** @param clock in milliseconds, never going back. */
  constructor(clock: () => number, wait: Wait) {
    this.#clock = clock;
    this.#wait = wait;
  }

  /** The slots of a new batch. What was sent before still counts. */
  take({ perSecond, startsInMs }: Slots): void {
    this.#perSecond = perSecond;
    this.#spacing = windowMs / perSecond;
    this.#slot = this.#clock() + startsInMs;
  }

  /** Resolves when the next request may begin, one after the other, whoever asks; to be called when it was answered. */
  next(): Promise<() => void> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn;
    return turn;
  }

  async #next(): Promise<() => void> {
    const at = Math.max(this.#slot, this.#earliest(0));
    this.#slot += this.#spacing;
    const early = at - this.#clock();
    if (early > 0) await this.#wait(Math.ceil(early));
    const arrived = { at: this.#clock() + longestWayMs };
    this.#arrived.push(arrived);
    if (this.#arrived.length > this.#perSecond) this.#arrived.shift();
    return () => arrived.at = Math.min(arrived.at, this.#clock());
  }

  /** When the request after `ahead` more may begin at the earliest, by those of the last second. */
  #earliest(ahead: number): number {
    const before = this.#arrived[this.#arrived.length - this.#perSecond + ahead];
    return before === undefined ? -Infinity : before.at + windowMs;
  }

  /**
   * In how many milliseconds evenly spaced slots may begin again, so that none falls within a second too full: it is later than the slots
   * taken when requests came late and then close together. For the next worker, which knows nothing of ours.
   */
  resumesInMs(): number {
    let at = -Infinity;
    for (let ahead = 0; ahead < this.#perSecond; ahead++) {
      at = Math.max(at, this.#earliest(ahead) - ahead * this.#spacing);
    }
    return Math.max(at - this.#clock(), 0);
  }
}
