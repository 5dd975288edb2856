import { firstBytes } from "./bytes.ts";
import { inCase } from "./case.ts";

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
 * A short name from a long one. `smart` cuts at the last dash that fits, otherwise at the limit.
 *
 * Argo CD keeps the limit and the manner of the last call in globals of the process; here they are
 * arguments, so a result never depends on what was made before.
 */
export function slugify(text: string, lengthMost: number, smart: boolean): string {
  let slug = normalize(text);
  if (!smart && slug.length > lengthMost) slug = firstBytes(slug, Math.max(lengthMost, 0));
  return shortened(dashed(slug), lengthMost, smart);
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
  return shortened(dashed(transliterate(spelled).toLowerCase()), 50, true);
}

/** Everything that is no letter or digit as single dashes, none at the ends. */
const dashed = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9_-]/g, "-")
    .replace(/-+/g, "-")
    .replace(/^[-_]+/, "")
    .replace(/(?<![-_])[-_]+$/, "");

function shortened(slug: string, lengthMost: number, smart: boolean): string {
  if (!smart || slug.length <= lengthMost) return slug;
  const most = Math.max(lengthMost, 0);
  // A dash right behind the limit means that a whole word fits.
  if (slug[most] === "-") return slug.slice(0, most);
  const dash = slug.lastIndexOf("-", most - 1);
  return dash <= 0 ? slug.slice(0, most) : slug.slice(0, dash);
}
