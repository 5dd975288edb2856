/**
 * Text as Go has it: bytes, which are UTF-8 as a rule.
 *
 * A byte that belongs to no character (of half a character, of a decoded picture) stands in a text as one lone
 * surrogate, U+DC80 for 0x80 up to U+DCFF for 0xFF. Nothing else makes lone surrogates: generators make params
 * well-formed where they enter, templates are made so before they are parsed, and our YAML refuses escapes of half a
 * character. Texts that hold none are never looked at twice.
 */

const ascii = /^[\x00-\x7f]*$/;

export const isAscii = (text: string): boolean => ascii.test(text);

/** From a byte that is no part of a character to what stands for it. */
const strayOffset = 0xdc00;

const strays = /[\udc80-\udcff]/gu;

/** Characters of UTF-8 beyond ASCII in bytes, one character each, and bytes that are none. */
const characterOrByte =
  /[\xc2-\xdf][\x80-\xbf]|(?:\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])[\x80-\xbf]|(?:\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])[\x80-\xbf]{2}|[\x80-\xff]/g;

/** Length in bytes. */
export function byteLength(text: string): number {
  if (isAscii(text)) return text.length;
  const length = Buffer.byteLength(text);
  // What stands for a byte would be written as three.
  return text.isWellFormed() ? length : length - 2 * (text.match(strays)?.length ?? 0);
}

/** The bytes of a text, one character each. */
export function bytesOf(text: string): string {
  if (isAscii(text)) return text;
  if (text.isWellFormed()) return Buffer.from(text, "utf8").toString("latin1");
  return text.replace(/[\udc80-\udcff]+|[^\udc80-\udcff]+/gu, (part) =>
    isStray(part.charCodeAt(0))
      ? part.replace(strays, (stray) => String.fromCharCode(stray.charCodeAt(0) - strayOffset))
      : Buffer.from(part, "utf8").toString("latin1"),
  );
}

/** Whether a code point is a byte that belongs to no character. */
export const isStray = (code: number): boolean => code >= 0xdc80 && code <= 0xdcff;

export const strayByte = (code: number): number => code - strayOffset;

/** The text of bytes, given one character each. */
export function textOfBytes(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  const buffer = Buffer.from(bytes, "latin1");
  const text = buffer.toString("utf8");
  if (!text.includes("\uFFFD")) return text;
  return bytes.replace(characterOrByte, (found) =>
    found.length === 1
      ? String.fromCharCode(found.charCodeAt(0) + strayOffset)
      : Buffer.from(found, "latin1").toString("utf8"),
  );
}

/** The bytes of a text, for what takes bytes or text in UTF-8. */
export const encoded = (text: string): string | Buffer =>
  text.isWellFormed() ? text : Buffer.from(bytesOf(text), "latin1");

/** Runs a function that counts in bytes, as Go's string functions do. It is given one character for each. */
export function overBytes(text: string, work: (bytes: string) => string): string {
  return isAscii(text) ? work(text) : textOfBytes(work(bytesOf(text)));
}

/** strings.Split: at every separator, or into characters when there is none. */
export function splitText(text: string, separator: string): readonly string[] {
  if (separator === "") return Array.from(text);
  if (separator.isWellFormed()) return text.split(separator);
  return bytesOf(text).split(bytesOf(separator)).map(textOfBytes);
}

/** A text that was put together: bytes that have come to stand side by side may be a character now. */
export const joined = (text: string): string =>
  text.isWellFormed() ? text : textOfBytes(bytesOf(text));

/**
 * A text for everybody else, and what functions of Go make that take a text apart into characters: U+FFFD for every
 * byte that belongs to none.
 */
export const wellFormed = (text: string): string => text.toWellFormed();

/** What a template wrote, as others read it. */
export const finished = (text: string): string =>
  text.isWellFormed() ? text : wellFormed(textOfBytes(bytesOf(text)));

/** The first `count` bytes of a text, well-formed. */
export const firstBytes = (text: string, count: number): string =>
  byteLength(text) <= count ? text : wellFormed(overBytes(text, (bytes) => bytes.slice(0, count)));
