import { inCase } from "./case.ts";
import { FunctionError } from "./function.ts";

/** A name made fit for Kubernetes, as Argo CD does it. */
export function normalize(text: string): string {
  const replaced = inCase(text, "lower").replace(/[^-a-z0-9.]/gu, "-");
  return replaced
    .slice(0, 253)
    .replace(/^[-.]+/, "")
    .replace(trailing, "");
}

const trailing = /(?<![-.])[-.]+$/;

/**
 * A short name from a long one. `smart` cuts at the last dash that fits, and a limit below 1 is none; otherwise it
 * cuts at the limit. Throws FunctionError for a negative limit that is not smart.
 *
 * Argo CD keeps the limit and the manner of the last call in globals of the process; here they are
 * arguments, so a result never depends on what was made before.
 */
export function slugify(text: string, lengthMost: number, smart: boolean): string {
  const slug = normalize(text);
  if (smart) return lengthMost > 0 ? shortened(dashed(slug), lengthMost) : dashed(slug);
  if (lengthMost < 0)
    throw new FunctionError(`cannot cut a slug at ${lengthMost}: the limit is at least 0`);
  return dashed(slug.slice(0, lengthMost));
}

/**
 * The name of a branch as `branch_slug`: at most 50 characters, underscores become dashes. `transliterate` spells
 * letters of any script in ASCII.
 */
export function branchSlug(branch: string, transliterate: (text: string) => string): string {
  const spelled = branch
    .replaceAll("_", "-")
    .replace(/["'’]/g, "")
    .replaceAll("&", "and")
    .replaceAll("@", "at");
  return shortened(dashed(transliterate(spelled).toLowerCase()), 50);
}

/** Everything that is no letter or digit as single dashes, none at the ends. */
const dashed = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9_-]/g, "-")
    .replace(/-+/g, "-")
    .replace(/^[-_]+/, "")
    .replace(/(?<![-_])[-_]+$/, "");

/** Cut at the last dash that fits; one right behind the limit means that a whole word does. */
function shortened(slug: string, lengthMost: number): string {
  if (slug.length <= lengthMost) return slug;
  const dash = slug.lastIndexOf("-", lengthMost);
  return slug.slice(0, dash > 0 ? dash : lengthMost);
}
