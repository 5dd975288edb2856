import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { OriginOutcome } from "./input.ts";

/** The names an outcome asks for, or would if it had not failed there. */
export const wantedNames = (outcome: OriginOutcome): readonly ApplicationName[] =>
  outcome.kind === "generated"
    ? [
        ...outcome.applications.map(({ application }) => application.name),
        ...outcome.flaws.flatMap(({ application }) =>
          application === undefined ? [] : [application],
        ),
      ]
    : [];
