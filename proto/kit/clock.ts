export type Clock = {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Resolves after `delayMs`. Throws the signal's reason as soon as it aborts. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
};

export const systemClock: Clock = {
  nowMs: Date.now,
  sleep: async (delayMs, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason);
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  },
};
