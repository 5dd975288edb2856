import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { trimSpace } from "./space.ts";
import type { GoMap } from "./value.ts";

/** A `{{name}}` template that was taken apart once. */
export type FastTemplate = (params: GoMap) => string;

type Part = string | { readonly name: string; readonly written: string };

/**
 * Argo CD's older template mode: a placeholder whose trimmed text is a param that is text becomes that
 * text, every other one stays byte for byte. What was put in is not looked at again.
 */
export function compileFastTemplate(text: string): Result<FastTemplate, string> {
  // Without an opening and a closing on one line nothing is a placeholder.
  if (!hasPlaceholder(text)) return ok(() => text);
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("{{", at);
    if (open === -1) break;
    const close = text.indexOf("}}", open + 2);
    if (close === -1)
      return fail(
        `invalid template: Cannot find end tag="}}" in the template=${quoted(text)} starting from ${quoted(text.slice(open + 2))}`,
      );
    parts.push(text.slice(at, open));
    const written = text.slice(open, close + 2);
    parts.push({ name: trimSpace(written.slice(2, -2)), written });
    at = close + 2;
  }
  parts.push(text.slice(at));
  const written = parts.filter((part) => part !== "");
  const [only, another] = written;
  if (only !== undefined && another === undefined) return ok((params) => filled(only, params));
  // Joined rather than added up: a text made by adding stays a tree of its parts, and takes twice the memory.
  return ok((params) => written.map((part) => filled(part, params)).join(""));
}

function filled(part: Part, params: GoMap): string {
  if (typeof part === "string") return part;
  const value = part.name === "" ? undefined : params.get(part.name);
  return typeof value === "string" ? value : part.written;
}

const hasPlaceholder = (text: string): boolean =>
  text.split("\n").some((line) => {
    const open = line.indexOf("{{");
    return open !== -1 && line.includes("}}", open + 2);
  });

const quoted = (text: string): string => JSON.stringify(text);
