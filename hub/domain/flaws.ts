import type { ApplicationName } from "../../proto/words/ids.ts";
import type { Flaw } from "./generate.ts";
import { flatten } from "./repeated-texts.ts";
import { shortened } from "./shortened.ts";

/** A flaw takes no more than the application it stands for would, whatever its message quotes. */
export const flawCharactersMost = 1_000;

/** Who has met the same words. */
type Told = {
  readonly message: string;
  readonly applications: Set<ApplicationName | undefined>;
};

/** The same flaw met many times, as by every row of a matrix, is one; the same words are one text. */
export class Flaws {
  readonly #flaws: Flaw[] = [];
  readonly #told = new Map<string, Told>();

  add({ kind, application, problem: { code, message: whole } }: Flaw): void {
    const { message, applications } = this.#toldAs(shortened(whole, flawCharactersMost));
    if (applications.has(application)) return;
    applications.add(application);
    this.#flaws.push({ kind, application, problem: { code, message } });
  }

  /** In the order they were met. */
  all(): readonly Flaw[] {
    return this.#flaws;
  }

  #toldAs(message: string): Told {
    const before = this.#told.get(message);
    if (before !== undefined) return before;
    flatten(message);
    const told: Told = { message, applications: new Set() };
    this.#told.set(message, told);
    return told;
  }
}
