import type { Generation } from "../../proto/words/ids.ts";

/**
 * A generation beyond all that a cluster may have seen of an application, and none before what it was drafted as.
 *
 * Seen is what it was offered, what it was told to remove, and what it reported to hold: a hub that was restored
 * from a backup hears of newer generations than it remembers to have given out.
 */
export const generationBeyond = (
  seen: readonly Generation[],
  drafted: Generation = 1,
): Generation => Math.max(drafted, ...seen.map((generation) => generation + 1));
