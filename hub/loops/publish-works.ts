import { canonicalJson } from "../../proto/words/digest.ts";
import type { FleetDocuments } from "../domain/fleet-documents.ts";
import type { ProblemDraft } from "../domain/problem.ts";
import type { Origin } from "../domain/origin.ts";
import type { PublishedApplication } from "../domain/records.ts";
import { failed, madeOf, type Made, type Maker, type Waiting } from "./publish-set.ts";
import type { UseLog } from "./publish-uses.ts";

/** What one origin comes to in a pass. */
export type Work = {
  readonly origin: Origin;
  /** Everything but revisions that the result depends on. */
  readonly input: string;
  readonly file: string;
  readonly make: (
    uses: UseLog,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ) => Promise<Made | Waiting>;
};

/** The sets and Applications that a fleet repository has. */
export const worksOf = ({ sets, applications }: FleetDocuments, maker: Maker): readonly Work[] => [
  ...sets.map(({ name, file, set }): Work => ({
    origin: { kind: "application-set", name },
    file,
    input: set.ok ? canonicalJson(set.value.document) : set.problem.message,
    make: (uses, before, signal) =>
      set.ok ? maker.set(set.value, uses, before, signal) : Promise.resolve(failed(set.problem)),
  })),
  ...applications.map(({ file, application }): Work => ({
    origin: { kind: "application", name: application.name },
    file,
    input: canonicalJson([application.document, application.problem?.message ?? null]),
    make: (uses, before, signal) => maker.applications([application], [], uses, before, signal),
  })),
];

/** An origin whose own file cannot be read. */
export const unreadableWork = (origin: Origin, file: string, problem: ProblemDraft): Work => ({
  origin,
  file,
  input: problem.message,
  make: () => Promise.resolve(failed(problem)),
});

/** An origin that is gone from Git. */
export const removedWork = (origin: Origin): Work => ({
  origin,
  file: "",
  input: "removed",
  make: () => Promise.resolve(madeOf({ kind: "removed" })),
});
