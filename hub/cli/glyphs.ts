import { paint, type Colour, type Look } from "./terminal.ts";

type Sign = { readonly unicode: string; readonly ascii: string; readonly colour?: Colour };

/** State is shape, word and colour; none of them carries it alone. */
const signs: Readonly<Record<string, Sign>> = {
  Healthy: { unicode: "●", ascii: "*", colour: "green" },
  Progressing: { unicode: "◐", ascii: "~", colour: "blue" },
  Degraded: { unicode: "✖", ascii: "x", colour: "red" },
  Missing: { unicode: "○", ascii: "o", colour: "yellow" },
  Suspended: { unicode: "‖", ascii: "|", colour: "dim" },
  Unknown: { unicode: "?", ascii: "?", colour: "dim" },
  Synced: { unicode: "=", ascii: "=", colour: "green" },
  OutOfSync: { unicode: "≠", ascii: "!", colour: "yellow" },
  attached: { unicode: "⬤", ascii: "@", colour: "green" },
  detached: { unicode: "◌", ascii: ".", colour: "red" },
  locked: { unicode: "⊘", ascii: "#", colour: "red" },
  "never-joined": { unicode: "+", ascii: "+", colour: "dim" },
  succeeded: { unicode: "✔", ascii: "+", colour: "green" },
  failed: { unicode: "✖", ascii: "x", colour: "red" },
  waiting: { unicode: "…", ascii: "~", colour: "blue" },
  expired: { unicode: "✖", ascii: "x", colour: "yellow" },
};

export const healthOrder = [
  "Healthy",
  "Progressing",
  "Degraded",
  "Missing",
  "Suspended",
  "Unknown",
] as const;

export const syncOrder = ["Synced", "OutOfSync", "Unknown"] as const;

/** The sign of a state alone, or its word where there are no signs. */
export function signOf(state: string, look: Look): string {
  const sign = signs[state];
  return sign === undefined || look.glyphs === "none" ? state : sign[look.glyphs];
}

export const colourOf = (state: string): Colour | undefined => signs[state]?.colour;

/** Sign and word: `● Healthy`; the word alone where there are no signs. */
export function stateText(state: string, look: Look): string {
  const sign = signs[state];
  if (state === "") return "-";
  const word =
    sign === undefined || look.glyphs === "none" ? state : `${sign[look.glyphs]} ${state}`;
  return paint(word, sign?.colour, look);
}

/** `● 16   ✖ 1`: how many are in each state. */
export const countsText = (
  states: readonly string[],
  countOf: (state: string) => number,
  look: Look,
): string =>
  states
    .map((state) => {
      const count = countOf(state);
      return paint(`${signOf(state, look)} ${count}`, count === 0 ? "dim" : colourOf(state), look);
    })
    .join("   ");
