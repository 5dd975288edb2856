import {
  desiredDigest,
  type DesiredApplication,
  type Tombstone,
} from "../../proto/words/desired.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { HeldSet } from "../domain/held-set.ts";
import type { ApplicationWork } from "./application-work.ts";

export type HeldNeeds = {
  readonly works: ReadonlyMap<ApplicationName, ApplicationWork>;
  /** That of an application, made when there is none yet. */
  readonly workOf: (application: ApplicationName) => ApplicationWork;
  readonly declare: (work: ApplicationWork, keys: Iterable<ObjectKey>) => void;
  readonly wake: (application: ApplicationName) => void;
  /** Held no more, and ordered away by nobody. */
  readonly drop: (work: ApplicationWork) => void;
};

/**
 * Takes in the whole of what is held: every application's work learns what is wanted of it, and is woken up
 * when that is news. Nothing is carried out here.
 */
export function takeHeld(
  { applications, tombstones, strays }: HeldSet,
  { works, workOf, declare, wake, drop }: HeldNeeds,
): void {
  const present = new Set<ApplicationName>();
  for (const [application, desired] of applications) {
    // Nobody ordered it away and nobody answers for it: it stays as it is.
    if (strays.has(application)) continue;
    const tombstone = tombstones.get(application);
    if (tombstone !== undefined && tombstone.generation > desired.generation) continue;
    present.add(application);
    const work = workOf(application);
    const isKnown = work.desired !== undefined && isSameOffer(work.desired, desired);
    if (isKnown && work.tombstone === undefined) continue;
    work.want(desired);
    wake(application);
  }
  for (const [application, tombstone] of tombstones) {
    if (present.has(application)) continue;
    present.add(application);
    const work = workOf(application);
    if (work.tombstone !== undefined && isSameOrder(work.tombstone, tombstone)) continue;
    work.tombstone = tombstone;
    declare(work, []);
    wake(application);
  }
  for (const [application, work] of works) if (!present.has(application)) drop(work);
}

/** A restored hub, which has forgotten what it offered, may offer something else under the same number. */
const isSameOffer = (a: DesiredApplication, b: DesiredApplication): boolean =>
  a === b || (a.generation === b.generation && desiredDigest(a) === desiredDigest(b));

/** The same of an order to remove. */
const isSameOrder = (a: Tombstone, b: Tombstone): boolean =>
  a.generation === b.generation &&
  a.keepObjects === b.keepObjects &&
  a.serviceAccount === b.serviceAccount;
