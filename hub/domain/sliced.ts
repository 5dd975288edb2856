/**
 * Work that stops now and then, so that whoever runs it can let others have a turn. It comes to a value when
 * it is run to its end; leaving it in the middle leaves nothing behind.
 */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Runs it at a stretch. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Items that are looked at between two stops: a millisecond or so for a few microseconds each. */
const itemsPerSlice = 256;

/** Stops every now and then while `see` is shown each item. */
export function* seeInSlices<T>(
  items: Iterable<T>,
  see: (item: T, index: number) => void,
): Sliced<void> {
  let index = 0;
  for (const item of items) {
    see(item, index);
    index += 1;
    if (index % itemsPerSlice === 0) yield;
  }
}

/** What `make` gives for each item, in order. */
export function* mapInSlices<T, U>(items: Iterable<T>, make: (item: T) => U): Sliced<U[]> {
  const made: U[] = [];
  yield* seeInSlices(items, (item) => made.push(make(item)));
  return made;
}

/** Few enough that sorting or merging them takes about a millisecond. */
const runLength = 2_048;

/** A sorted copy; what is equal stays in order. */
export function* sortedInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Sliced<readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += runLength) {
    runs.push(items.slice(at, at + runLength).toSorted(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(yield* mergedRuns(runs[at] ?? [], runs[at + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergedRuns<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): Sliced<readonly T[]> {
  const [last] = left.slice(-1);
  const [first] = right;
  if (last === undefined || first === undefined || compare(last, first) <= 0)
    return [...left, ...right];
  const merged: T[] = [];
  let fromRight = 0;
  for (const item of left) {
    for (; fromRight < right.length; fromRight += 1) {
      const other = right[fromRight] as T;
      if (compare(item, other) <= 0) break;
      merged.push(other);
      if (merged.length % runLength === 0) yield;
    }
    merged.push(item);
    if (merged.length % runLength === 0) yield;
  }
  for (; fromRight < right.length; fromRight += 1) {
    merged.push(right[fromRight] as T);
    if (merged.length % runLength === 0) yield;
  }
  return merged;
}
