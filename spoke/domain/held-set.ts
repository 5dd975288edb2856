import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import {
  desiredDigest,
  desiredRoot,
  type DesiredApplication,
  type DesiredChange,
  type Tombstone,
} from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, Epoch, Generation, Version } from "../../proto/words/ids.ts";
import type { Command } from "../../proto/words/link-messages.ts";

/** All a spoke remembers of what its hub wants, as it lies on disk. */
export type HeldSet = {
  /** The hub it came from; empty before the first. */
  readonly hubId: string;
  readonly version: Version;
  /** The highest epoch ever obeyed. Messages with a lower one are void. */
  readonly epochSeen: Epoch;
  readonly applications: ReadonlyMap<ApplicationName, DesiredApplication>;
  /** Ordered and not yet carried out. */
  readonly tombstones: ReadonlyMap<ApplicationName, Tombstone>;
  /** Held, unknown to the hub, ordered away by nobody: left alone and out of the root. */
  readonly strays: ReadonlySet<ApplicationName>;
  /** Ids of commands already executed, oldest first, bounded. */
  readonly executedCommands: readonly string[];
};

export const emptyHeldSet: HeldSet = {
  hubId: "",
  version: 0,
  epochSeen: 0,
  applications: new Map(),
  tombstones: new Map(),
  strays: new Set(),
  executedCommands: [],
};

/** How many command ids are remembered. Commands expire long before so many have come. */
export const executedCommandsMost = 1_000;

/** Identity of every entry, strays included: what the spoke answers when asked for its digests. */
export const heldDigests = (held: HeldSet): ReadonlyMap<ApplicationName, Digest> =>
  new Map([...held.applications].map(([name, entry]) => [name, desiredDigest(entry)]));

/** What the hub's root is compared with. Strays are not part of it. */
export const heldRoot = (held: HeldSet): Digest =>
  desiredRoot(new Map([...heldDigests(held)].filter(([name]) => !held.strays.has(name))));

export type ChangeRefusal =
  /** Starts from a version this spoke does not hold. */
  | { readonly kind: "other-base"; readonly base: Version; readonly held: Version }
  /** Leads to a version before the one held: a message that was overtaken. */
  | { readonly kind: "older-target"; readonly target: Version; readonly held: Version }
  /** Does not give what the hub says it gives. */
  | { readonly kind: "other-root"; readonly expected: Digest; readonly actual: Digest };

export type ChangedSet = {
  readonly held: HeldSet;
  /** Entries and tombstones left out because this spoke has seen a newer generation of them. */
  readonly keptNewer: readonly ApplicationName[];
};

/**
 * The set after a change, or why the change cannot be taken: then the hub is told what is held, entry by
 * entry, and answers with a change against that (base 0), which fits any set.
 *
 * An entry or tombstone with an older generation than the one held is not taken, whoever sends it: a hub
 * restored from a backup must not roll back or remove by accident. The root is then another than the
 * hub's, and that is no refusal when the change was made against what is held.
 */
export function applyChange(
  held: HeldSet,
  change: DesiredChange,
): Result<ChangedSet, ChangeRefusal> {
  if (change.base !== 0 && change.base !== held.version)
    return fail({ kind: "other-base", base: change.base, held: held.version });
  if (change.target < held.version)
    return fail({ kind: "older-target", target: change.target, held: held.version });

  const keptNewer: ApplicationName[] = [];
  const applications = new Map(held.applications);
  const tombstones = new Map(held.tombstones);
  const strays = change.base === 0 ? new Set(change.strays) : new Set(held.strays);

  for (const entry of change.upserts) {
    const name = entry.application;
    if (entry.generation < (held.applications.get(name)?.generation ?? 0)) {
      keptNewer.push(name);
      continue;
    }
    applications.set(name, entry);
    // Wanted again before it was removed: it stays, whatever the generations say, since staying is safe.
    tombstones.delete(name);
    strays.delete(name);
  }
  for (const tombstone of change.tombstones) {
    const name = tombstone.application;
    if (!removes(tombstone, held)) {
      keptNewer.push(name);
      continue;
    }
    applications.delete(name);
    tombstones.set(name, tombstone);
    strays.delete(name);
  }
  const known = new Set([...strays].filter((name) => applications.has(name)));
  const after: HeldSet = {
    ...held,
    version: change.target,
    applications,
    tombstones,
    strays: known,
  };
  const actual = heldRoot(after);
  if (actual !== change.root && !(change.base === 0 && keptNewer.length > 0))
    return fail({ kind: "other-root", expected: change.root, actual });
  return ok({ held: after, keptNewer });
}

/** A tombstone's generation is larger than any the application had; anything else is an order out of the past. */
const removes = ({ application, generation }: Tombstone, held: HeldSet): boolean =>
  generation > (held.applications.get(application)?.generation ?? 0) &&
  generation >= (held.tombstones.get(application)?.generation ?? 0);

export function describeRefusal(refusal: ChangeRefusal): string {
  switch (refusal.kind) {
    case "other-base":
      return `change starts from version ${refusal.base}, version ${refusal.held} is held`;
    case "older-target":
      return `change leads to version ${refusal.target}, version ${refusal.held} is held`;
    case "other-root":
      return `change gives root ${refusal.actual}, the hub says ${refusal.expected}`;
    default:
      return unreachable(refusal, "refusal of a change");
  }
}

/** Whether a message of this epoch may still change anything here. */
export const obeys = (held: HeldSet, epoch: Epoch): boolean => epoch >= held.epochSeen;

/** The same set once `epoch` has been obeyed. */
export const withEpoch = (held: HeldSet, epoch: Epoch): HeldSet =>
  epoch > held.epochSeen ? { ...held, epochSeen: epoch } : held;

/**
 * The set as a new hub finds it. Versions, epochs and command ids of another hub mean nothing to this one,
 * and its removals are not carried out: changing the hub removes nothing. What is wanted stays until the
 * new hub says what it knows of it; its generation counts for nothing, so that whatever the new hub says is
 * newer.
 */
export const heldForHub = (held: HeldSet, hubId: string): HeldSet =>
  held.hubId === hubId
    ? held
    : held.hubId === ""
      ? { ...held, hubId }
      : {
          ...emptyHeldSet,
          hubId,
          applications: new Map(
            [...held.applications].map(([name, entry]) => [name, { ...entry, generation: 0 }]),
          ),
          strays: held.strays,
        };

/** Forgets a tombstone that was carried out. One that a newer order replaced stays. */
export function withoutTombstone(
  held: HeldSet,
  application: ApplicationName,
  generation: Generation,
): HeldSet {
  if (held.tombstones.get(application)?.generation !== generation) return held;
  const tombstones = new Map(held.tombstones);
  tombstones.delete(application);
  return { ...held, tombstones };
}

export type CommandVerdict =
  | { readonly kind: "execute" }
  /** Its id was executed before. */
  | { readonly kind: "executed-before" }
  | { readonly kind: "void"; readonly problem: string };

/**
 * What to do about a command that came.
 *
 * Whether it was executed is asked first: a repeat is told what became of it, however late it comes, and never
 * that it is void. Between this and writing `withExecuted` nobody else may judge a command, or it runs twice.
 */
export function judgeCommand(held: HeldSet, command: Command, nowMs: number): CommandVerdict {
  if (held.executedCommands.includes(command.id)) return { kind: "executed-before" };
  if (nowMs > command.expiresAtMs) return { kind: "void", problem: "the command has expired" };
  const entry = held.applications.get(command.application);
  if (entry === undefined)
    return { kind: "void", problem: `application ${command.application} is not in this cluster` };
  if (command.generation !== 0 && command.generation !== entry.generation)
    return {
      kind: "void",
      problem: `the command is for generation ${command.generation}, generation ${entry.generation} is wanted now`,
    };
  return { kind: "execute" };
}

/** The set once the command counts as executed. Written before the command runs: at most once. */
export const withExecuted = (held: HeldSet, commandId: string): HeldSet => ({
  ...held,
  executedCommands: [...held.executedCommands, commandId].slice(-executedCommandsMost),
});
