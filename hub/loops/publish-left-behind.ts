import type { ApplicationName } from "../../proto/words/ids.ts";
import type { Origin, PublishedApplication } from "../domain/records.ts";
import { keepsBecause, lastWords } from "./publish-origin.ts";
import type { PublishNeeds } from "./publish.ts";

/** What sets have left behind that are gone from Git and may not delete what they made. */
export class LeftBehind {
  readonly #needs: Pick<PublishNeeds, "findSet" | "owners" | "named">;
  readonly #sets = new Set<string>();

  constructor(needs: Pick<PublishNeeds, "findSet" | "owners" | "named">) {
    this.#needs = needs;
  }

  /** Whether nothing is. */
  get isEmpty(): boolean {
    return this.#sets.size === 0;
  }

  /** Learns which origins are gone from Git. Until then nothing is left behind. */
  async learn(removed: readonly Origin[], signal: AbortSignal): Promise<void> {
    for (const { kind, name } of removed) {
      if (kind !== "application-set") continue;
      const words = lastWords(await this.#needs.findSet(name, signal));
      if (keepsBecause(words) !== undefined) this.#sets.add(name);
    }
  }

  /** What is left behind under these names. */
  async under(
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ): Promise<readonly PublishedApplication[]> {
    return this.isEmpty ? [] : this.among(await this.#needs.owners(names, signal), signal);
  }

  /** The same, for who knows already whose the names are. */
  async among(
    owners: ReadonlyMap<ApplicationName, Origin>,
    signal: AbortSignal,
  ): Promise<readonly PublishedApplication[]> {
    if (this.isEmpty) return [];
    const names = [...owners].flatMap(([name, owner]) =>
      owner.kind === "application-set" && this.#sets.has(owner.name) ? [name] : [],
    );
    return names.length === 0 ? [] : this.#needs.named(names, signal);
  }
}
