/**
 * The clock of a cluster's controllers.
 *
 * At a speed, a delay of n simulated milliseconds passes in n / speed real ones, and timestamps are real. By
 * hand, nothing that takes time happens until the clock is moved, and timestamps follow it.
 */
export type TimeOptions =
  | { readonly kind: "speed"; readonly factor: number }
  | { readonly kind: "manual"; readonly startMs: number };

type Due = { readonly atMs: number; readonly run: () => void };

/**
 * Delays pass in the order in which they end, however late the event loop gets to them: while controllers
 * have something to do, or this process is short of time, the simulated clock waits. So nothing runs into
 * a deadline because the machine is slow.
 */
export class SimulatedTime {
  readonly #factor: number;
  readonly #isManual: boolean;
  #due: Due[] = [];
  /** Simulated milliseconds, as of `#asOfMs` on the real clock. */
  #simulatedMs: number;
  #asOfMs = performance.now();
  #holds = 0;
  #wakeUp: (() => void) | undefined;
  #stopped = false;

  constructor(options: TimeOptions) {
    this.#isManual = options.kind === "manual";
    this.#factor = options.kind === "manual" ? 1 : options.factor;
    this.#simulatedMs = options.kind === "manual" ? options.startMs : 0;
  }

  /** For timestamps: the real time, or that of a clock moved by hand. */
  nowMs(): number {
    return this.#isManual ? this.#simulatedMs : Date.now();
  }

  /** An object's timestamp: whole seconds. */
  stamp(): string {
    return stampOf(this.nowMs());
  }

  /** Runs something once, after a delay in simulated time. Returns how to call it off. */
  after(delayMs: number, run: () => void): () => void {
    const due: Due = { atMs: this.#nowSimulatedMs() + delayMs, run };
    const index = this.#due.findLastIndex((other) => other.atMs <= due.atMs);
    this.#due.splice(index + 1, 0, due);
    if (index === -1) this.#arm();
    return () => {
      this.#due = this.#due.filter((other) => other !== due);
    };
  }

  /** How many delays are running. */
  get pending(): number {
    return this.#due.length;
  }

  /** Stops a clock that runs by itself until `release` is called as often: what happens now takes no time. */
  hold(): void {
    if (this.#holds === 0) this.#settle();
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    this.#asOfMs = performance.now();
    this.#arm();
  }

  /**
   * Moves a clock that is moved by hand, running what becomes due in order and letting the controllers
   * finish in between.
   */
  async advance(byMs: number): Promise<void> {
    if (!this.#isManual)
      throw new TypeError(
        "this cluster's clock runs by itself; start it with manual time to move it",
      );
    const endMs = this.#simulatedMs + byMs;
    await idle();
    for (;;) {
      const next = this.#due[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#due.shift();
      this.#simulatedMs = Math.max(this.#simulatedMs, next.atMs);
      next.run();
      await idle();
    }
    this.#simulatedMs = endMs;
    await idle();
  }

  stop(): void {
    this.#stopped = true;
    this.#due = [];
    this.#wakeUp?.();
  }

  /** Never beyond the next delay's end: that has to happen first. */
  #nowSimulatedMs(): number {
    if (this.#isManual || this.#holds > 0) return this.#simulatedMs;
    const passedMs = (performance.now() - this.#asOfMs) * this.#factor;
    return Math.min(this.#simulatedMs + passedMs, this.#due[0]?.atMs ?? Infinity);
  }

  #settle(): void {
    this.#simulatedMs = this.#nowSimulatedMs();
    this.#asOfMs = performance.now();
  }

  #arm(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
    const next = this.#due[0];
    if (this.#isManual || this.#stopped || this.#holds > 0 || next === undefined) return;
    const passedMs = performance.now() - this.#asOfMs;
    const waitMs = (next.atMs - this.#simulatedMs) / this.#factor - passedMs;
    // Timers are never shorter than a millisecond, which is long at a high speed.
    if (waitMs < 0.5) {
      const immediate = setImmediate(() => this.#runDue());
      this.#wakeUp = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(() => this.#runDue(), waitMs);
      this.#wakeUp = () => clearTimeout(timer);
    }
  }

  #runDue(): void {
    const next = this.#due[0];
    if (next === undefined || this.#stopped) return;
    this.#simulatedMs = Math.max(this.#simulatedMs, next.atMs);
    this.#asOfMs = performance.now();
    this.hold();
    while ((this.#due[0]?.atMs ?? Infinity) <= this.#simulatedMs) this.#due.shift()?.run();
    this.release();
  }
}

export const stampOf = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;

/** Lets everything run that waits for the next turns of the event loop, as controllers do. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1)
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
}
