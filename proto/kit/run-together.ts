/**
 * Runs long-lived tasks side by side and stops them together.
 *
 * The first task to fail aborts the rest; the call settles only when every task has. Returns normally
 * when the caller's signal was the reason. Otherwise throws the failure, or an AggregateError of several.
 */
export async function runTogether(
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const group = new AbortController();
  const shared = AbortSignal.any([signal, group.signal]);
  const outcomes = await Promise.allSettled(
    tasks.map((task) =>
      task(shared).catch((error: unknown) => {
        group.abort(error);
        throw error;
      }),
    ),
  );
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as unknown] : [],
  );
  const own = [...new Set(failures)].filter((failure) => failure !== signal.reason);
  if (own.length === 1) throw own[0];
  if (own.length > 1) throw new AggregateError(own, `${own.length} tasks failed`);
}
