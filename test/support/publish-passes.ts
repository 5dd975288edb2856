import { defaultShrinkLimits } from "../../hub/domain/shrink-guard.ts";
import { emptyMemory } from "../../hub/loops/publish-memory.ts";
import {
  publish,
  type PassOutcome,
  type PublishNeeds,
  type PublishSettings,
} from "../../hub/loops/publish.ts";
import type { PublishTree } from "../../hub/loops/read-fleet.ts";
import { openStore, type Store } from "../../hub/store/store.ts";
import { memoryTree } from "./memory-tree.ts";
import { publishNeeds } from "./publish-needs.ts";

/** Passes of publishing over a real store and a fleet repository in memory, each when the test wants it. */
export type PublishPasses = {
  readonly store: Store;
  /** Where the fleet repository is. */
  readonly url: string;
  /**
   * Writes these files, or takes them away, and makes passes over the new commit until none asks for another.
   * `over` takes the place of what passes need.
   */
  readonly push: (
    files: Readonly<Record<string, string | undefined>>,
    over?: Partial<PublishNeeds>,
  ) => Promise<PassOutcome>;
  /** The same with nothing changed. */
  readonly pass: (over?: Partial<PublishNeeds>) => Promise<PassOutcome>;
  /** Forgets what passes remember of each other, as a hub does that starts again. */
  readonly restart: () => void;
};

const url = "https://git.example.com/platform/fleet.git";

const settings: PublishSettings = {
  fleet: { url, revision: "main", path: "fleet" },
  shrink: defaultShrinkLimits,
  wholeSets: false,
  fileDialect: "pathspec",
  elementsMost: 1_000,
  stretchMs: 15,
};

/** More than any story asks for. */
const passesMost = 10;

/** Opens a store in the folder; whoever opened it closes it. */
export async function openPublishPasses(
  folder: string,
  signal: AbortSignal,
): Promise<PublishPasses> {
  const store = await openStore({ folder });
  const files = new Map<string, string>();
  const commits = new Map<string, PublishTree>();
  let head = "";
  let memory = emptyMemory();
  const needs = publishNeeds(store, commits, () => head);
  const pass = async (over: Partial<PublishNeeds> = {}): Promise<PassOutcome> => {
    for (let made = 1; ; made += 1) {
      const outcome = await publish(memory, { ...needs, ...over }, settings, signal);
      if (!outcome.again) return outcome;
      if (made === passesMost) throw new Error("passes ask for another without end");
    }
  };
  return {
    store,
    url,
    pass,
    push: (changes, over) => {
      for (const [file, text] of Object.entries(changes))
        if (text === undefined) files.delete(file);
        else files.set(file, text);
      head = String(commits.size + 1).padStart(40, "0");
      commits.set(head, memoryTree(head, new Map(files)));
      return pass(over);
    },
    restart: () => {
      memory = emptyMemory();
    },
  };
}
