import { deploymentScripts } from "./written/deployments.ts";
import { kindScripts } from "./written/every-kind.ts";
import { lifeScripts } from "./written/lives.ts";
import { malformedScripts } from "./written/malformed.ts";
import { ownedFieldScripts } from "./written/owned-fields.ts";
import { refusedScripts } from "./written/refused.ts";
import type { NamedSteps } from "./written/steps.ts";

/** Scripts written by hand: what people and controllers do to objects, and what they get wrong. */
export const writtenScripts: readonly NamedSteps[] = [
  ...malformedScripts,
  ...refusedScripts,
  ...ownedFieldScripts,
  ...lifeScripts,
  ...deploymentScripts,
  ...kindScripts,
];
