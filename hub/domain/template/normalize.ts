import { firstBytes } from "./print.ts";

/** A name made fit for Kubernetes, as Argo CD does it. */
export function normalize(text: string): string {
  const replaced = text.toLowerCase().replace(/[^-a-z0-9.]/gu, "-");
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
  slug = slug.replace(/[^A-Za-z0-9_-]/g, "-").replace(/-+/g, "-");
  slug = slug.replace(/^[-_]+/, "").replace(/(?<![-_])[-_]+$/, "");
  if (!smart || slug.length <= lengthMost) return slug;
  const most = Math.max(lengthMost, 0);
  // A dash right behind the limit means that a whole word fits.
  if (slug[most] === "-") return slug.slice(0, most);
  const dash = slug.lastIndexOf("-", most - 1);
  return dash <= 0 ? slug.slice(0, most) : slug.slice(0, dash);
}
