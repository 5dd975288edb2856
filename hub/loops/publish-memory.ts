import type { Digest } from "../../proto/words/digest.ts";
import type { Made } from "./publish-set.ts";
import { emptyFactMemory, type FactMemory } from "./publish-sources.ts";
import type { Uses } from "./publish-uses.ts";
import type { ParsedFiles } from "./read-fleet.ts";

/** What an origin was made to, and when. */
export type MadeOnce = { readonly outcome: Made; readonly atMs: number };

/** What one origin came to the last time. */
export type OriginMemory = {
  /** Everything that went into it, as one digest. */
  readonly inputs: Digest;
  readonly uses: Uses;
  /** Whether the same inputs need no second look. */
  readonly isSettled: boolean;
  /** Until when the same inputs are not looked at, since that costs everybody too much. */
  readonly restsUntilMs: number;
  /** What was made, kept while clusters decide how much of it may go out. */
  readonly made: MadeOnce | undefined;
};

/** What passes remember of each other. Only an economy: forgetting it costs one full pass. */
export type PublishMemory = {
  readonly parsed: ParsedFiles;
  /** By origin: what went into the last recording, and which revisions it asked for. */
  readonly origins: Map<string, OriginMemory>;
  /** File of each plain Application, as last read. */
  readonly applicationFiles: Map<string, string>;
  readonly facts: FactMemory;
  notesTold: string;
};

export const emptyMemory = (): PublishMemory => ({
  parsed: new Map(),
  origins: new Map(),
  applicationFiles: new Map(),
  facts: emptyFactMemory(),
  notesTold: "",
});
