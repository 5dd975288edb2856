/**
 * The clock of a cluster's controllers.
 *
 * At a speed, a delay of n simulated milliseconds passes in n / speed real ones, and timestamps are real. By
 * hand, nothing that takes time happens until the clock is moved, and timestamps follow it.
 */
export type TimeOptions =
  | { readonly kind: "speed"; readonly factor: number }
  | { readonly kind: "manual"; readonly startMs: number };

type Due = { readonly atMs: number; readonly order: number; readonly run: () => void };

export class SimulatedTime {
  readonly #options: TimeOptions;
  #due: Due[] = [];
  #order = 0;
  #manualMs: number;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;
  #stopped = false;

  constructor(options: TimeOptions) {
    this.#options = options;
    this.#manualMs = options.kind === "manual" ? options.startMs : 0;
  }

  /** For timestamps. */
  nowMs(): number {
    return this.#options.kind === "manual" ? this.#manualMs : Date.now();
  }

  /** An object's timestamp: whole seconds. */
  stamp(): string {
    return `${new Date(this.nowMs()).toISOString().slice(0, 19)}Z`;
  }

  /** Simulated milliseconds between two timestamps made by this clock. */
  elapsedMs(sinceMs: number): number {
    const factor = this.#options.kind === "manual" ? 1 : this.#options.factor;
    return (this.nowMs() - sinceMs) * factor;
  }

  /** Runs something once, after a delay in simulated time. Returns how to call it off. */
  after(delayMs: number, run: () => void): () => void {
    const factor = this.#options.kind === "manual" ? 1 : this.#options.factor;
    const due: Due = { atMs: this.nowMs() + delayMs / factor, order: this.#order, run };
    this.#order += 1;
    const index = this.#due.findLastIndex((other) => other.atMs <= due.atMs);
    this.#due.splice(index + 1, 0, due);
    this.#arm();
    return () => {
      this.#due = this.#due.filter((other) => other !== due);
    };
  }

  /** How many delays are running. */
  get pending(): number {
    return this.#due.length;
  }

  /**
   * Moves a clock that is moved by hand, running what becomes due in order and letting the controllers
   * finish in between.
   */
  async advance(byMs: number): Promise<void> {
    if (this.#options.kind !== "manual")
      throw new TypeError(
        "this cluster's clock runs by itself; start it with manual time to move it",
      );
    const endMs = this.#manualMs + byMs;
    await idle();
    for (;;) {
      const next = this.#due[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#due.shift();
      this.#manualMs = Math.max(this.#manualMs, next.atMs);
      next.run();
      await idle();
    }
    this.#manualMs = endMs;
    await idle();
  }

  stop(): void {
    this.#stopped = true;
    this.#due = [];
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const next = this.#due[0];
    if (this.#options.kind === "manual" || this.#stopped || next === undefined) return;
    if (this.#timerAtMs <= next.atMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = next.atMs;
    this.#timer = setTimeout(() => this.#runDue(), Math.max(0, next.atMs - Date.now()));
  }

  #runDue(): void {
    this.#timerAtMs = Infinity;
    // Timers may fire a little early; what is due within the millisecond goes with it.
    const now = Date.now() + 1;
    while (!this.#stopped && (this.#due[0]?.atMs ?? Infinity) <= now) this.#due.shift()?.run();
    this.#arm();
  }
}

/** Lets everything run that waits for the next turns of the event loop, as controllers do. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1)
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
}
