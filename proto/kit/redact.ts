import type { Fields } from "./log.ts";

/**
 * What may leave: the one function that every log, answer and refusal goes through.
 *
 * The last guard and not the first: nothing should hand it a secret. It knows secrets by their shape and fields
 * by their name, and what it does not know it lets through.
 */
export function redact(text: string): string {
  let safe = text;
  for (const [shape, instead] of shapes) safe = safe.replace(shape, instead);
  return safe;
}

const hidden = "(masked)";

/** The public half of a token of ours stays: it is how people find the one that is meant. */
const shapes: readonly (readonly [shape: RegExp, instead: string])[] = [
  [/\b(wh[tj]_[a-z2-7]{8})[._][a-z2-7]+/gi, `$1.${hidden}`],
  [
    /-----BEGIN ([A-Z ]*)PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g,
    `${hidden.slice(0, -1)} private key)`,
  ],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]+/gi, hidden],
  [/\b(bearer|basic) +[\w+/=.~-]{12,}/gi, `$1 ${hidden}`],
  // Whoever is named before the @ of an address is somebody's credential.
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@"'<>]+@/gi, `$1${hidden}@`],
  [
    /([?&;](?:access_token|token|api_?key|key|sig|signature|secret|password|x-amz-[a-z-]+)=)[^\s&;#"'<>]+/gi,
    `$1${hidden}`,
  ],
  // A JSON web token: Kubernetes hands them to service accounts.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, hidden],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA)[\w-]{10,}/g, hidden],
];

/** Names of fields that hold credentials. */
const secretName = /token|passw(?:or)?d|secret|private_?key|authorization|credential|cookie/i;

/** The public half alone may stand under such a name. */
const publicId = /^wh[tj]_[a-z2-7]{8}$/;

/** A value as it may leave under this name. */
export function redactField<T>(name: string, value: T): T | string {
  if (typeof value !== "string") return value;
  if (secretName.test(name) && value !== "" && !publicId.test(value)) return hidden;
  return redact(value);
}

export const redactFields = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, redactField(name, value)]),
  );

/**
 * JSON on one line for every reader: what JSON leaves bare and some take for a line's end, or a terminal for a
 * command, is escaped. The value it stands for is the same.
 */
export const oneJsonLine = (json: string): string =>
  json.replace(unprintable, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);

const unprintable = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
