/** Texts looked at before it is decided whether they repeat. */
const trial = 512;
/** How many different ones are remembered at a time: neighbours are what repeats. */
const rememberedMost = 256;

/**
 * The texts that one template gives, ready to be kept by many documents: one that comes again is the same text
 * and takes no memory of its own. Of a template that seldom repeats itself nothing is remembered.
 */
export class RepeatedTexts {
  #remembered: Map<string, string> | undefined = new Map<string, string>();
  #looks = 0;
  #found = 0;

  kept(text: string): string {
    flatten(text);
    const remembered = this.#remembered;
    if (remembered === undefined) return text;
    this.#looks += 1;
    const known = remembered.get(text);
    if (known !== undefined) {
      this.#found += 1;
      return known;
    }
    if (this.#looks >= trial && this.#found * 2 < this.#looks) {
      this.#remembered = undefined;
      return text;
    }
    if (remembered.size >= rememberedMost) remembered.clear();
    remembered.set(text, text);
    return text;
  }
}

/**
 * The engine keeps a text that was added up as a tree of its parts, 140 bytes more in an Application, until
 * somebody searches it.
 */
export function flatten(text: string): void {
  text.lastIndexOf("\n");
}
