export type AllowanceSettings = {
  /** How much may be taken at once by whoever took nothing for long. */
  readonly burst: number;
  readonly perSecond: number;
};

/** So much at once, and so much a second from then on. `nowMs` must not go back. */
export class Allowance {
  readonly #settings: AllowanceSettings;
  #left: number;
  #atMs: number;

  constructor(settings: AllowanceSettings, nowMs: number) {
    this.#settings = settings;
    this.#left = settings.burst;
    this.#atMs = nowMs;
  }

  /** Takes one. False, and nothing taken, when there is none. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** How long until there is one; 0 when there is. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#left >= 1 ? 0 : Math.ceil(((1 - this.#left) * 1_000) / this.#settings.perSecond);
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#left >= this.#settings.burst;
  }

  #refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#left = Math.min(
      this.#settings.burst,
      this.#left + (passedMs / 1_000) * this.#settings.perSecond,
    );
  }
}

/**
 * An allowance for each key, for so many keys at most.
 *
 * When there are more, those that took nothing lately go first, then the one that took longest ago: forgetting
 * a key gives it its burst back, so keep something that holds for all keys together behind this.
 */
export class Allowances {
  readonly #settings: AllowanceSettings;
  readonly #keysMost: number;
  readonly #byKey = new Map<string, Allowance>();

  constructor(settings: AllowanceSettings, keysMost: number) {
    this.#settings = settings;
    this.#keysMost = keysMost;
  }

  take(key: string, nowMs: number): boolean {
    const allowance = this.#byKey.get(key) ?? new Allowance(this.#settings, nowMs);
    // The order of the map is that of the last taking.
    this.#byKey.delete(key);
    this.#byKey.set(key, allowance);
    const taken = allowance.take(nowMs);
    this.#forget(nowMs);
    return taken;
  }

  waitMs(key: string, nowMs: number): number {
    return this.#byKey.get(key)?.waitMs(nowMs) ?? 0;
  }

  get keys(): number {
    return this.#byKey.size;
  }

  #forget(nowMs: number): void {
    for (const [key, allowance] of this.#byKey) {
      if (this.#byKey.size <= this.#keysMost && !allowance.isFull(nowMs)) return;
      this.#byKey.delete(key);
    }
  }
}
