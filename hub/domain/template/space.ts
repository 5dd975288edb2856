/** A character that Go takes for white space. */
export const goSpace =
  /[\t\n\v\f\r \u0085\u00A0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u;

/** All of them in a text. */
export const goSpaces = new RegExp(goSpace, "gu");

/** strings.TrimSpace, which knows U+0085 as white space, and U+FEFF not. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && goSpace.test(text[start] ?? "")) start += 1;
  while (end > start && goSpace.test(text[end - 1] ?? "")) end -= 1;
  return text.slice(start, end);
}
