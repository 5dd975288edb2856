import { hmacSha256 } from "../../../../proto/words/ciphers.ts";
import { bytesOf } from "../bytes.ts";
import { takes, type CallContext, type TemplateFunction } from "../function.ts";

/**
 * `derivePassword`: the Master Password algorithm. The key depends on password and user alone; site, counter and type
 * only choose characters with it.
 */
export const passwordFunctions: readonly (readonly [string, TemplateFunction])[] = [
  [
    "derivePassword",
    takes(
      ["uint32", "string", "string", "string", "string"],
      ([counter, type, password, user, site], context) =>
        derivedPassword({ counter, type, password, user, site }, context),
    ),
  ],
];

type Wanted = {
  readonly counter: bigint;
  readonly type: string;
  readonly password: string;
  readonly user: string;
  readonly site: string;
};

const scope = "com.lyndir.masterpassword";

/** The three words of a long password: each ends with a vowel or with a second consonant. */
const longWords = ["vvv", "cvv", "vcv", "vvc", "ccv", "vcc", "cvc"];

/** What passwords of a type look like, a letter for the class of each character. */
const shapes: ReadonlyMap<string, readonly string[]> = new Map([
  ["maximum", ["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]],
  ["long", longWords.flatMap((ends) => [0, 1, 2].map((place) => longShape(ends, place)))],
  ["medium", ["CvcnoCvc", "CvcCvcno"]],
  ["short", ["Cvcn"]],
  ["basic", ["aaanaaan", "aannaaan", "aaannaaa"]],
  ["pin", ["nnnn"]],
]);

/** A digit and another character follow one of the words. */
function longShape(ends: string, place: number): string {
  return Array.from(ends, (end, index) => `Cvc${end}${index === place ? "no" : ""}`).join("");
}

const vowels = "AEIOU";
const consonants = "BCDFGHJKLMNPQRSTVWXYZ";
const digits = "0123456789";
const letters = vowels + vowels.toLowerCase() + consonants + consonants.toLowerCase();

const classes: ReadonlyMap<string, string> = new Map([
  ["V", vowels],
  ["v", vowels.toLowerCase()],
  ["C", consonants],
  ["c", consonants.toLowerCase()],
  ["A", vowels + consonants],
  ["a", letters],
  ["n", digits],
  ["o", "@&%?,=[]_:-+*$#!'^~;()/."],
  ["x", `${letters}${digits}!@#$%^&*()`],
]);

function derivedPassword(
  { counter, type, password, user, site }: Wanted,
  { derivedKey }: CallContext,
): string {
  const choices = shapes.get(type);
  if (choices === undefined) return `cannot find password template ${type}`;
  const key = derivedKey(password, scope + withLength(user));
  const seed = hmacSha256(
    key,
    Buffer.from(scope + withLength(site) + uint32(Number(counter)), "latin1"),
  );
  const [first = 0, ...others] = seed;
  const shape = choices[first % choices.length] ?? "";
  return Array.from(shape, (letter, index) => {
    const characters = classes.get(letter) ?? "";
    return characters[(others[index] ?? 0) % characters.length] ?? "";
  }).join("");
}

/** Bytes of a text behind how many they are, one character each. */
function withLength(text: string): string {
  const bytes = bytesOf(text);
  return uint32(bytes.length) + bytes;
}

/** Four bytes, the most significant first. */
const uint32 = (value: number): string =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
