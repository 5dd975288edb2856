/** Ends an exhaustive switch. The compiler objects to a forgotten case; a value from outside is a bug, loudly. */
export function unreachable(value: never, what: string): never {
  throw new TypeError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
