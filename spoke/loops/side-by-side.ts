/**
 * Does `work` for every item, at most `atOnceMost` at a time, in order of the list.
 *
 * All of it is tried even when some fails; then the first failure is thrown. Nothing new starts once the
 * signal aborts.
 */
export async function sideBySide<T>(
  items: readonly T[],
  atOnceMost: number,
  work: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of left) {
      signal.throwIfAborted();
      try {
        await work(item);
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
  };
  const workers = Array.from({ length: Math.min(atOnceMost, items.length) }, worker);
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}
